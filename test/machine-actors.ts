/**
 * Actors (one-thread.ts) that ask the virtual machine (machine.ts): a call that suspends its ULP is served at once.
 *
 * Owns: packing and unpacking of one int, and the end of a test: nothing may be left.
 */
import assert from "node:assert/strict";
import { getState } from "../runtime/scheduler/state.ts";
import { SUSPEND, ULP_STATE } from "../wire/layout.ts";
import { TestMachine } from "./machine.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "./one-thread.ts";

/** Where the actors' ints are. */
export const AT = 0x40;

export interface Party {
  readonly p: Process;
  readonly machine: TestMachine;
  readonly actors: readonly Actor[];
  /** Calls a routine; if it suspends, serves the virtual machine and gives the result. Still waiting: undefined. */
  ask(who: Actor, name: string, ...args: number[]): Promise<number | undefined>;
  /** Packs an int into the default send buffer. @returns its bufid */
  pack(who: Actor, value: number): number;
  /** Unpacks an int of the default receive buffer. */
  unpack(who: Actor): number;
  /** Error lines that were printed since the last look. */
  errors(): string[];
  end(): void;
}

export function party(ulps: number): Party {
  const p = processOf(IDLE, { ulps });
  const machine = new TestMachine(p);
  const actors = Array.from({ length: ulps }, (_, index) => actor(p, index));
  return {
    p,
    machine,
    actors,
    async ask(who, name, ...args) {
      const result = who.call(name, ...args);
      if (result !== SUSPEND) return result;
      await machine.serve();
      return getState(p.library.w, who.ulp) === ULP_STATE.runnable ? who.resumed() : undefined;
    },
    pack(who, value) {
      const bufid = who.call("pvm_initsend", 0);
      who.view.setInt32(AT, value, true);
      assert.equal(who.call("pvm_pkint", AT, 1, 1), 0);
      return bufid;
    },
    unpack(who) {
      assert.equal(who.call("pvm_upkint", AT, 1, 1), 0);
      return who.view.getInt32(AT, true);
    },
    errors: () =>
      p.printed.splice(0).map(({ text }) => text.trimEnd().replace(/^libpvm \[t[0-9a-f]+\]: /, "")),
    end: () => assert.equal(leftovers(p), ""),
  };
}
