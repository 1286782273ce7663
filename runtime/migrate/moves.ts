/**
 * The words of moves between processes: what happens to the migration protocol, and what it has done in turn.
 *
 * Owns: types, and the reasons for which a ULP is not moved. The protocol is migration.ts, with a file for each role:
 * departure.ts (source), arrival.ts (destination), locations.ts (all others, and these two as well).
 *
 * A *move* is one attempt to bring a ULP from the process that has it, the source, to another, the destination. Moves of a
 * ULP are numbered 1, 2, …, those that fail too; the number goes with the ULP, so that (tid, number) names one attempt for
 * ever, and of two pieces of news about where a ULP is the one with the higher number is the newer.
 */

/** Number of an application process in its job. */
export type Member = number;
export type Tid = number;

/** Owner of a ULP that has ended, in news and in the control store. */
export const NOBODY: Member = -1;

/** Where a ULP is. */
export interface Location {
  readonly member: Member;
  /** The move that brought it there, or left it there; 0: it was created there. */
  readonly move: number;
}

/** Frames of the protocol, `ULP_…` of wire/protocol.ts. STATE and its end are sent and read by who has the image. */
export type MoveFrameKind =
  | "PREPARE"
  | "PREPARED"
  | "MIGRATING"
  | "MIGACK"
  | "FLUSHED"
  | "MIGRATED"
  | "MIGABORT";

export interface MoveFrame {
  readonly kind: MoveFrameKind;
  readonly tid: Tid;
  readonly move: number;
  /** MIGRATING: the destination; MIGRATED, MIGABORT: who has it. Else 0. */
  readonly member: Member;
  /** PREPARE: revision of the ULP's key in the control store; 0 there is none. */
  readonly revision?: number;
  /** PREPARE: what the source's runtime says of the ULP: program, bytes, versions. */
  readonly offer?: unknown;
  /** MIGRATING, to the destination: what the ULP needs there, now that it is known. */
  readonly weight?: Weight;
  /**
   * MIGRATING, if nobody but the destination has to answer: how many messages of it the source has taken. If it has sent no
   * more, none is on its way, and it need not be told that all have answered.
   */
  readonly taken?: number;
  /** MIGACK: it is so, and FLUSHED is not waited for. */
  readonly isClear?: boolean;
  /** PREPARED: why not; MIGABORT of the destination: what went wrong. */
  readonly refused?: Refused | undefined;
}

/** What a frozen ULP needs where it goes, bytes: a memory as long as it has grown to, and of the process heap. */
export interface Weight {
  readonly memoryBytes: number;
  readonly heapBytes: number;
}

/** Why a ULP stays where it is. Codes are part of the interface (`--json`). */
export const REFUSALS = {
  notHere: "it is not here any more",
  ended: "it has ended",
  already: "it is there already",
  moving: "it is moving already",
  unknownHost: "no process of its job is there",
  leaving: "that host is leaving",
  noMemory: "too little memory there",
  version: "that host has another version of upvm",
  program: "its program cannot be loaded there",
  files: "its files cannot be opened there",
  noAnswer: "that host has not answered in time",
  notFrozen: "it could not be stopped in time",
  notFlushed: "not all processes of its job have answered in time",
  notReceived: "its state did not arrive whole",
  lost: "the process of its job there is gone",
  tooMany: "too many moves at once",
  calledOff: "it was called off, since its host did not become empty in time",
} as const;
export type Refusal = keyof typeof REFUSALS;
export const isRefusal = (code: string): code is Refusal => Object.hasOwn(REFUSALS, code);

export interface Refused {
  readonly code: Refusal;
  /** More about it, "" if there is no more. */
  readonly detail: string;
}

/** What came of an order for one ULP. Times are the source's, milliseconds from the order on. */
export type Outcome =
  | { readonly moved: false; readonly refused: Refused }
  | {
      readonly moved: true;
      /**
       * By this move it went to the destination: the master learns it from here too. The destination may be gone since,
       * and the ULP with it.
       */
      readonly move: number;
      /** Of its state, as sent. */
      readonly bytes: number;
      /** Until its last byte had left (paper, 4.4: obtrusiveness), and until it went on there (migration cost). */
      readonly obtrusiveMs: number;
      readonly migrationMs: number;
      readonly stages: Stages;
    };

/** When each stage was over, milliseconds from the order on. The destination's yes (prepared) may come after the next three. */
export interface Stages {
  preparedMs: number;
  frozenMs: number;
  flushedMs: number;
  sentMs: number;
  committedMs: number;
}

/** What a change of the control store has come to. Unknown: it may have been done, or may be done yet. */
export type Settled = { readonly revision: number } | "refused" | "unknown";
/** What the control store says of a ULP. */
export type Owner = { readonly member: Member; readonly revision: number } | "unknown";

/** What happens. All but orders, frames, members and news belong to a move that the protocol has asked something of. */
export type MoveEvent =
  | { readonly kind: "order"; readonly order: number; readonly tid: Tid; readonly to: Member }
  /** Nobody waits for the move of this ULP any more; `queued`: if it has not begun yet. What is decided stays decided. */
  | { readonly kind: "callOff"; readonly tid: Tid; readonly queued: boolean }
  /** Source. Stopped, in the hands of the process's own thread; all it has sent has been given to `sent`. */
  | { readonly kind: "frozen"; readonly tid: Tid; readonly move: number; readonly weight?: Weight }
  | { readonly kind: "notFrozen"; readonly tid: Tid; readonly move: number; readonly refused: Refused }
  /** Source. All of its state has been written to the link. */
  | { readonly kind: "shipped"; readonly tid: Tid; readonly move: number; readonly bytes: number }
  /** Destination. It can be taken, or not. */
  | {
      readonly kind: "judged";
      readonly tid: Tid;
      readonly move: number;
      readonly refused?: Refused | undefined;
    }
  /** Destination. There is room for it, or not. */
  | {
      readonly kind: "weighed";
      readonly tid: Tid;
      readonly move: number;
      readonly refused?: Refused | undefined;
    }
  /** Destination. All of its state is in place and verified; or something is wrong with it. */
  | { readonly kind: "received"; readonly tid: Tid; readonly move: number }
  | { readonly kind: "broken"; readonly tid: Tid; readonly move: number; readonly refused: Refused }
  /** Answers to `claim` and `read`. */
  | { readonly kind: "settled"; readonly tid: Tid; readonly move: number; readonly result: Settled }
  | { readonly kind: "owner"; readonly tid: Tid; readonly move: number; readonly owner: Owner }
  | { readonly kind: "frame"; readonly from: Member; readonly frame: MoveFrame }
  /** A process of the job has come, or is gone with all that it had. */
  | { readonly kind: "joined"; readonly member: Member }
  | { readonly kind: "lost"; readonly member: Member }
  | { readonly kind: "leaving"; readonly member: Member }
  /** News of the master, or of this process about its own ULPs. */
  | { readonly kind: "created"; readonly tid: Tid; readonly location: Location }
  /** The master knows nobody of this name yet. */
  | { readonly kind: "notMade"; readonly tid: Tid }
  | { readonly kind: "ended"; readonly tid: Tid }
  /** What ULPs of this process have sent to one that was frozen, after its state had left, has gone on (free, thaw). */
  | { readonly kind: "cleared" }
  /** Time goes on; nothing else. */
  | { readonly kind: "tick" };

/** What is to be done, in this order. */
export type MoveEffect<M> =
  | { readonly kind: "send"; readonly to: Member; readonly frame: MoveFrame }
  /** Source. Fill in PREPARE's offer and send it. If the ULP has ended, `freeze`, which comes next, says `notFrozen`. */
  | { readonly kind: "offer"; readonly to: Member; readonly frame: MoveFrame }
  | { readonly kind: "freeze"; readonly tid: Tid; readonly move: number }
  /** Source. Give it back to an engine as it was, with what was sent to it meanwhile. */
  | { readonly kind: "thaw"; readonly tid: Tid }
  /** Source. Begin to write its state to the link: what no message changes. The destination may still refuse it. */
  | { readonly kind: "shipMemory"; readonly tid: Tid; readonly move: number; readonly to: Member }
  /** Source. Write the rest of its state, with its messages; those that are sent to it from now on are none of them. */
  | { readonly kind: "ship"; readonly tid: Tid; readonly move: number; readonly to: Member }
  /** Source. Send after it what has come for it since `ship`. It is kept too: the ULP may stay. */
  | { readonly kind: "shipLate"; readonly tid: Tid; readonly move: number; readonly to: Member }
  | { readonly kind: "stopShipping"; readonly tid: Tid; readonly move: number }
  /** Source. It is elsewhere: what was sent to it since `ship`, and not by `shipLate`, goes on there, and all it had here is freed. */
  | { readonly kind: "free"; readonly tid: Tid; readonly to: Member }
  /** Destination. Can it be taken? If so, be ready for its state. */
  | { readonly kind: "judge"; readonly from: Member; readonly frame: MoveFrame }
  /** Destination. Is there room for what it has grown to? Nothing of its state has come yet. */
  | { readonly kind: "weigh"; readonly tid: Tid; readonly move: number; readonly weight: Weight }
  /** Destination. It is ours: into its queue. Or it is not: free what came of it. */
  | { readonly kind: "adopt"; readonly tid: Tid; readonly move: number }
  | { readonly kind: "discard"; readonly tid: Tid; readonly move: number }
  /** Set the ULP's key to this process if it has still this revision. Asked again after "unknown": it must be the same. */
  | { readonly kind: "claim"; readonly tid: Tid; readonly move: number; readonly revision: number }
  | { readonly kind: "read"; readonly tid: Tid; readonly move: number }
  /** Messages for this ULP go on, in this order: into its inbox here, or to a process, or nowhere. */
  | {
      readonly kind: "release";
      readonly tid: Tid;
      readonly to: Member | "here" | "nowhere";
      readonly held: readonly M[];
    }
  /** Tell the master: it is here now. */
  | { readonly kind: "migrated"; readonly tid: Tid; readonly move: number; readonly revision: number }
  | {
      readonly kind: "answer";
      readonly order: number;
      readonly tid: Tid;
      readonly to: Member;
      readonly outcome: Outcome;
    }
  /** The control store cannot be reached, and only it knows whose a ULP is: this process must end. */
  | { readonly kind: "cutOff"; readonly tid: Tid };

/** A message that a ULP of this process sends to one of another. */
export interface Sent<M> {
  readonly src: Tid;
  readonly message: M;
}
