/**
 * Commands that wait for something which goes on without them.
 *
 * Owns: that Ctrl-C says so. Pure.
 */
import { UpvmError } from "../wire/errors.ts";

/**
 * Waits for an answer, or for Ctrl-C.
 *
 * @param what  could not be done; `why` and `hint` say what goes on, and what to do
 * @throws UpvmError INTERRUPTED, and what the work throws
 */
export async function interruptible<T>(
  signal: AbortSignal,
  work: Promise<T>,
  told: { readonly what: string; readonly why: string; readonly hint: string },
): Promise<T> {
  // Nobody waits for it after an interruption.
  work.catch(() => {});
  let stop = (): void => {};
  const interrupted = new Promise<never>((_, fail) => {
    stop = () => fail(new UpvmError("INTERRUPTED", told));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
  return await Promise.race([work, interrupted]).finally(() => signal.removeEventListener("abort", stop));
}
