/**
 * What the virtual machine's service can make a host do: the way to its tasks.
 *
 * Owns: the interface. Today's only host is the process of `upvm run` (upvm/host-process.ts); a test has one of arrays.
 */
import type { Answer, Request } from "../wire/requests.ts";

export interface Host {
  /** Ends the wait of the task that asked. If it waits no more, the answer is dropped. */
  answer(request: Request, answer: Answer): void;
  /** Loads a program, once for each name. @returns its row in the program table, or PvmNoFile */
  load(name: string): Promise<number>;
}
