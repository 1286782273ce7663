/**
 * Who else is there, what the last error was, and the program's arguments.
 */
import {
  pvm_perror, pvm_siblings_get, pvm_spawn, pvm_strerror_get, pvm_task_name, pvm_tasks_get,
  pvm_trace_begin, pvm_trace_end,
} from "./imports";
import { PvmOk, TEV_SIBLINGS, TEV_TASKS } from "./constants";

// Words of a pvm_tasks_get row, and room for a text, bytes.
// @ts-ignore: decorator
@inline const ROW_WORDS = 5;
// @ts-ignore: decorator
@inline const FIRST_ROWS = 64;
// @ts-ignore: decorator
@inline const TEXT_BYTES = 256;
// @ts-ignore: decorator
@lazy const textBuffer = memory.data(TEXT_BYTES);

/**
 * Tids of the ULPs that were started together, in order of creation: the same list in each of them.
 * `siblings().indexOf(pvm.mytid())` is this one's index, 0 … N-1. Source: pvm_siblings(3PVM)
 */
export function siblings(): StaticArray<i32> {
  pvm_trace_begin(TEV_SIBLINGS, 0, 0);
  const tids = new StaticArray<i32>(max(pvm_siblings_get(0, 0), 0));
  pvm_siblings_get(changetype<usize>(tids), tids.length);
  pvm_trace_end(TEV_SIBLINGS, tids.length, changetype<i32>(tids), 0);
  return tids;
}

/**
 * Starts as many ULPs as `tids` is long, of the program in the file `task`; `tids` gets their tids, or errors.
 *
 * @param flag  where: PvmTaskDefault anywhere, else as in PVM, and then `where` names it
 * @returns how many were started; PvmNoFile, PvmNoMem, … Source: pvm_spawn(3PVM)
 */
export function spawn(task: string, args: string[], flag: i32, where: string, tids: StaticArray<i32>): i32 {
  const texts = new Array<ArrayBuffer>();
  // C's argv: a pointer to each, and NULL.
  const argv = new StaticArray<usize>(args.length + 1);
  for (let i = 0; i < args.length; i++) {
    texts.push(String.UTF8.encode(args[i], true));
    argv[i] = changetype<usize>(texts[i]);
  }
  const file = String.UTF8.encode(task, true);
  const place = String.UTF8.encode(where, true);
  return pvm_spawn(
    changetype<usize>(file), changetype<usize>(argv), flag, changetype<usize>(place), tids.length,
    changetype<usize>(tids),
  );
}

/** A row of pvm_tasks(3PVM). */
export class Task {
  tid: i32 = 0;
  /** Its parent's tid, or PvmNoParent. */
  ptid: i32 = 0;
  /** Tid of its host's daemon. */
  host: i32 = 0;
  flag: i32 = 0;
  /** Operating system process that it runs in. */
  pid: i32 = 0;
  /** Name of its program. */
  name: string = "";
}

/** The tasks of the virtual machine: all (`where` 0), those of a host, or one. An error gives an empty list. */
export function tasks(where: i32 = 0): Task[] {
  let room = FIRST_ROWS;
  let got = 0;
  let rows: StaticArray<i32>;
  pvm_trace_begin(TEV_TASKS, 0, where);
  // Mostly one question is enough: a resource manager is asked each time.
  do {
    room = max(room, got);
    rows = new StaticArray<i32>(room * ROW_WORDS);
    got = pvm_tasks_get(where, changetype<usize>(rows), room);
  } while (got > room);
  const list = new Array<Task>();
  for (let i = 0; i < got; i++) {
    const row = i * ROW_WORDS;
    const task = new Task();
    task.tid = rows[row];
    task.ptid = rows[row + 1];
    task.host = rows[row + 2];
    task.flag = rows[row + 3];
    task.pid = rows[row + 4];
    const bytes = min(pvm_task_name(task.tid, textBuffer, TEXT_BYTES), TEXT_BYTES - 1);
    if (bytes > 0) task.name = String.UTF8.decodeUnsafe(textBuffer, bytes);
    list.push(task);
  }
  pvm_trace_end(TEV_TASKS, min(got, PvmOk), got, 0);
  return list;
}

/** Text of the last error of this ULP, in English, such as "End of buffer". */
export function strerror(): string {
  const bytes = min(pvm_strerror_get(textBuffer, TEXT_BYTES), TEXT_BYTES - 1);
  return bytes > 0 ? String.UTF8.decodeUnsafe(textBuffer, bytes) : "";
}

/** Prints `message` and the text of the last error to standard error. Source: pvm_perror(3PVM) */
export function perror(message: string): i32 {
  return pvm_perror(changetype<usize>(String.UTF8.encode(message, true)));
}

/** The program's arguments, without its name: what stands behind `--` in `upvm run ring.ts -- 1000`. */
export function args(): string[] {
  return process.argv.slice(1);
}
