/**
 * Errors as PVM reports them: a code, the last error of the ULP, and a line on its standard error.
 *
 * Owns: ULP.errno and the two texts, `libpvm [t40001]: pvm_send(): Bad parameter` (PvmAutoErr, 1 by default)
 * and that of pvm_perror. Source: lpvmerr and pvm_perror of PVM 3.4.6, compared with its output.
 */
import { ULP } from "../../wire/layout.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import { PVM_ERROR, type PvmErrorName, tidText } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { optionOf } from "../scheduler/more.ts";
import { printText } from "../scheduler/output.ts";
import { endProgram } from "./exit.ts";
import { cText, putText } from "./guest.ts";

const LAST_ERROR = Math.min(...Object.values(PVM_ERROR).map(({ code }) => code));
const TEXT = new Map<number, string>(Object.values(PVM_ERROR).map(({ code, text }) => [code, text]));

/** Values of PvmAutoErr that do not just print. As PVM 3.4.6: exit() with the error's code, abort(). */
const AUTO_ERR = { silent: 0, exit: 2, abort: 3 } as const;
/** As a shell has it for SIGABRT. */
const ABORT_EXIT_CODE = 134;

/** Text of an error code, as pvm_perror prints it; `Error 9` for a number that PVM has left out. */
function errorText(code: number): string {
  if (code > 0 || code < LAST_ERROR) return "Unknown Error";
  return TEXT.get(code) ?? `Error ${-code}`;
}

/** A call fails: remembers the error, prints it, and is what the call returns. */
export function fail(e: EngineState, routine: string, error: PvmErrorName): number {
  return failCode(e, routine, PVM_ERROR[error].code);
}

/** As fail, with the number. */
function failCode(e: EngineState, routine: string, code: number): number {
  const ulp = e.current;
  remember(e, code);
  const auto = optionOf(e.w, ulp, PVM_OPTION.PvmAutoErr.code);
  if (auto === AUTO_ERR.silent) return code;
  const who = tidText(e.w[ulp + ULP.tid]!);
  printText(e, ulp, 2, `libpvm [${who}]: ${routine}(): ${errorText(code)}\n`);
  if (auto === AUTO_ERR.exit) endProgram(e, code & 0xff);
  if (auto === AUTO_ERR.abort) endProgram(e, ABORT_EXIT_CODE);
  return code;
}

/** A call fails without a word: remembers the error, and is what the call returns. */
export function remember(e: EngineState, code: number): number {
  e.w[e.current + ULP.errno] = code;
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
    /**
     * For the guest library: a routine that is code of the program has failed. @returns the code
     */
    pvm_fail(routine: number, code: number): number {
      return code < 0 ? failCode(e, cText(e, routine) ?? "?", code) : code;
    },
    pvm_strerror_get(at: number, bytes: number): number {
      const length = putText(e, errorText(e.w[e.current + ULP.errno]!), at, bytes);
      return length ?? fail(e, "pvm_strerror", "PvmBadParam");
    },
  };
}
