/**
 * How this code says that it is wrong.
 *
 * Owns: the throw. `assert.ok(condition, text)` builds its text even when all is well; in code that runs a
 * million times a second the condition is an `if`, and the text is made here, when it is needed.
 */
import { AssertionError } from "node:assert";

/** @throws AssertionError always: a mistake of ours, which no guest can cause */
export function bug(message: string): never {
  throw new AssertionError({ message: `bug: ${message}`, stackStartFn: bug });
}
