/**
 * A host's home: the folder in which one pvmd lives, and the names in it.
 *
 * Owns: which folder it is (UPVM_HOME, else the user's XDG state folder) and what its files are called. Not the files
 * themselves (node-home.ts). Several homes on one machine are several hosts. Pure.
 * Source: XDG Base Directory Specification 0.8, XDG_STATE_HOME.
 */
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";

export interface Home {
  /** The folder, mode 0700. */
  readonly folder: string;
  /** Unix socket at which its pvmd takes commands. */
  readonly socket: string;
  /** The virtual machine's key, mode 0600. */
  readonly keyFile: string;
  /** Locked as long as a pvmd lives here; holds nothing. */
  readonly lockFile: string;
  /** What the pvmd of this home is, as JSON: for those who look after a crash. */
  readonly stateFile: string;
  /** What the pvmd and its children had to say; the part before that is beside it, with ".1". */
  readonly logFile: string;
  /** Lines that were typed at the console. */
  readonly historyFile: string;
}

/** The environment's variables that matter; undefined and empty are the same. */
export interface HomeEnv {
  readonly UPVM_HOME?: string | undefined;
  readonly XDG_STATE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * The home that a command is for.
 *
 * @param resolve  makes a path absolute
 * @throws UpvmError HOME_UNKNOWN: no variable says where; HOME_TOO_LONG: its socket could not be bound
 */
export function homeOf(env: HomeEnv, resolve: (path: string) => string): Home {
  const folder = folderOf(env);
  if (folder === undefined) throw new UpvmError("HOME_UNKNOWN", {});
  return homeIn(resolve(folder));
}

function folderOf(env: HomeEnv): string | undefined {
  if (env.UPVM_HOME) return env.UPVM_HOME;
  // The specification: a relative path is to be ignored.
  if (env.XDG_STATE_HOME?.startsWith("/")) return `${env.XDG_STATE_HOME}/upvm`;
  return env.HOME ? `${env.HOME}/.local/state/upvm` : undefined;
}

/** @throws UpvmError HOME_TOO_LONG */
export function homeIn(folder: string): Home {
  const socket = `${folder}/socket`;
  const bytes = new TextEncoder().encode(socket).length;
  if (bytes > LIMITS.socketPathBytes)
    throw new UpvmError("HOME_TOO_LONG", { path: folder, bytes, limit: LIMITS.socketPathBytes });
  return {
    folder,
    socket,
    keyFile: `${folder}/key`,
    lockFile: `${folder}/lock`,
    stateFile: `${folder}/state.json`,
    logFile: `${folder}/log`,
    historyFile: `${folder}/history`,
  };
}

/**
 * Unix socket at which an application process waits for others of its job, or for its pvmd. Its name is no longer than the
 * pvmd's own: where that can be bound, so can this.
 */
export function processSocket(folder: string, job: number, member: number): string {
  return `${folder}/p${(job * LIMITS.members + member).toString(36)}`;
}

/** A key as it is written to a file: one line, so that it can be sent, piped and pasted. */
export function keyText(key: Uint8Array): string {
  return `${key.toHex()}\n`;
}

/** @returns undefined: the text is no key */
export function keyOf(text: string): Uint8Array | undefined {
  const hex = text.trim();
  return hex.length === 2 * LIMITS.keyBytes && /^[0-9a-f]+$/i.test(hex) ? Uint8Array.fromHex(hex) : undefined;
}
