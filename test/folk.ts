/**
 * ULPs that are in groups, on the test's own thread: calls by short names, with their groups in the process or in the virtual
 * machine.
 */
import assert from "node:assert/strict";
import { uterminate } from "../runtime/scheduler/end.ts";
import { getState } from "../runtime/scheduler/state.ts";
import { HEAD, SUSPEND, ULP_STATE } from "../wire/layout.ts";
import { TestMachine } from "./machine.ts";
import {
  type Actor,
  actor,
  IDLE,
  leftovers,
  type Process,
  type ProcessOptions,
  processOf,
} from "./one-thread.ts";

export interface People {
  readonly p: Process;
  readonly ulps: Actor[];
  /** A group routine of a ULP by its short name. */
  on(index: number, routine: string, group: string, ...args: number[]): number;
  end(): void;
}

export function people(ulps: number, options: Partial<ProcessOptions> = {}): People {
  const p = processOf(IDLE, { ulps, ...options });
  const actors = Array.from({ length: ulps }, (_, index) => actor(p, index));
  return {
    p,
    ulps: actors,
    on: (index, routine, group, ...args) =>
      actors[index]!.call(`pvm_${routine}`, actors[index]!.text(group), ...args),
    end: () => assert.equal(leftovers(p), ""),
  };
}

export type Home = "process" | "machine";

export interface Folk {
  readonly p: Process;
  readonly ulps: Actor[];
  /** A call of a ULP; if its home is elsewhere, the answer has come. SUSPEND: it waits. */
  call(who: Actor, name: string, ...args: number[]): Promise<number>;
  /** A group routine of a ULP by its short name. */
  on(index: number, routine: string, group: string, ...args: number[]): Promise<number>;
  /** The ULP ends. */
  ends(who: Actor): Promise<void>;
  end(): Promise<void>;
}

/** ULPs whose groups have their home in their process, or in the virtual machine: both give the same answers. */
export function folk(home: Home, ulps: number): Folk {
  const { p, ulps: actors, end } = people(ulps);
  const machine = new TestMachine(p);
  if (home === "machine") p.library.w[HEAD.machine] = 1;
  const call = async (who: Actor, name: string, ...args: number[]): Promise<number> => {
    const result = who.call(name, ...args);
    await machine.serve();
    const done = result === SUSPEND && getState(p.library.w, who.ulp) === ULP_STATE.runnable;
    return done ? who.resumed() : result;
  };
  return {
    p,
    ulps: actors,
    call,
    on: (index, routine, group, ...args) =>
      call(actors[index]!, `pvm_${routine}`, actors[index]!.text(group), ...args),
    async ends(who) {
      uterminate(p.engines[0]!, who.ulp, 3);
      await machine.serve();
    },
    async end() {
      end();
      await machine.serve();
      assert.deepEqual(await machine.store.list("group/"), []);
    },
  };
}
