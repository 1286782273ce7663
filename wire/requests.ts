/**
 * What a ULP asks of the virtual machine, and what its engine tells about it: one row for each kind.
 *
 * A routine that needs the virtual machine suspends the ULP (runtime/pvm/ask.ts); the request goes to the process's own
 * thread, and from there to the service (pvmd/), today in the same process. All is plain data, so that it can also go to
 * another process or host. Owns: the kinds and the shapes of what they carry. No code here has effects.
 */

/** Types of fields. */
interface Shapes {
  readonly int: number;
  readonly text: string;
  readonly ints: readonly number[];
  readonly texts: readonly string[];
  readonly bytes: Uint8Array;
}

interface Row {
  /** Routine of PVM that asks: for error messages and for what a ULP waits in. */
  readonly routine: string;
  readonly ask: Readonly<Record<string, keyof Shapes>>;
  /** What is asked, and what `Answer.value` is; a negative one is a PVM error code. */
  readonly doc: string;
}

export const REQUEST = {
  load: { routine: "pvm_spawn", ask: { name: "text" }, doc: "load a program by its name; value: its row in the program table" },
  newContext: { routine: "pvm_newcontext", ask: {}, doc: "allot a context; value: its id" },
  freeContext: { routine: "pvm_freecontext", ask: { context: "int" }, doc: "give a context back" },
} as const satisfies Readonly<Record<string, Row>>;

export type RequestKind = keyof typeof REQUEST;
export const REQUEST_KINDS = Object.keys(REQUEST) as readonly RequestKind[];

/** Fields of a kind of request. */
export type RequestBody<K extends RequestKind> = {
  readonly [F in keyof (typeof REQUEST)[K]["ask"]]: Shapes[(typeof REQUEST)[K]["ask"][F] & keyof Shapes];
};
export interface RequestOf<K extends RequestKind> {
  readonly kind: K;
  /** ULP that asks. */
  readonly tid: number;
  /** Number of this request among the ULP's; 0: nobody waits for an answer. */
  readonly serial: number;
  readonly body: RequestBody<K>;
}
export type Request = { [K in RequestKind]: RequestOf<K> }[RequestKind];

/** What the virtual machine answers. */
export interface Answer {
  readonly value: number;
  readonly ints?: readonly number[];
  readonly texts?: readonly string[];
  readonly bytes?: Uint8Array;
}
