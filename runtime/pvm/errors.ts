/**
 * Errors as PVM reports them: a code, the last error of the ULP, and a line on its standard error.
 *
 * Owns: ULP.errno and the two texts, `libpvm [t40001]: pvm_send(): Bad parameter` (PvmAutoErr, on by default)
 * and that of pvm_perror. Source: lpvmerr and pvm_perror of PVM 3.4.6, compared with its output.
 */
import { ULP } from "../../wire/layout.ts";
import { PVM_ERROR, type PvmErrorName, tidText } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { printText } from "../scheduler/output.ts";
import { cText, putText } from "./guest.ts";

const TEXT = new Map<number, string>(Object.values(PVM_ERROR).map(({ code, text }) => [code, text]));

/** Text of an error code, as pvm_perror prints it. */
function errorText(code: number): string {
  return TEXT.get(code) ?? "Unknown error";
}

/** A call fails: remembers the error, prints it, and is what the call returns. */
export function fail(e: EngineState, routine: string, error: PvmErrorName): number {
  return failCode(e, routine, PVM_ERROR[error].code);
}

/** As fail, with the number. */
function failCode(e: EngineState, routine: string, code: number): number {
  const ulp = e.current;
  e.w[ulp + ULP.errno] = code;
  const who = tidText(e.w[ulp + ULP.tid]!);
  printText(e, ulp, 2, `libpvm [${who}]: ${routine}(): ${errorText(code)}\n`);
  return code;
}

/** A result that may be an error code of which PVM prints nothing: only remembered. */
export function note(e: EngineState, result: number): number {
  if (result < 0) e.w[e.current + ULP.errno] = result;
  return result;
}

/** A result of the library's lower layers: an error code fails the call, all else is the result. */
export function check(e: EngineState, routine: string, result: number): number {
  return result < 0 ? failCode(e, routine, result) : result;
}

export function errorCalls(e: EngineState) {
  return {
    /** PVM prints NULL as `(null)`. */
    pvm_perror(message: number): number {
      const text = message === 0 ? "(null)" : (cText(e, message) ?? "(bad address)");
      const who = tidText(e.w[e.current + ULP.tid]!);
      printText(e, e.current, 2, `libpvm [${who}]: ${text}: ${errorText(e.w[e.current + ULP.errno]!)}\n`);
      return PVM_ERROR.PvmOk.code;
    },
    pvm_strerror_get(at: number, bytes: number): number {
      const length = putText(e, errorText(e.w[e.current + ULP.errno]!), at, bytes);
      return length ?? fail(e, "pvm_strerror", "PvmBadParam");
    },
  };
}
