/**
 * Every error that PVM's manual pages document for a routine is one that a test has seen the routine give, or it is said here
 * why there is none.
 *
 * Owns: the list. What has been seen is what the conformance suite holds upvm to: its lines `routine(…): error`. PvmSysErr (no
 * daemon answers: none is needed here) and PvmNoMem (test/unit/pvm-limits.test.ts, and the tests of each part) are left out.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { PVM_TYPE } from "../../wire/pvm.ts";
import { expected, golden, PROGRAMS } from "../conformance/suite.ts";

const TYPES = Object.keys(PVM_TYPE);
const packs = ["packf", "pkstr", ...TYPES.map((type) => `pk${type}`)].map((name) => [
  name,
  ["NoBuf", "Overflow"],
]);
const unpacks = ["unpackf", "upkstr", ...TYPES.map((type) => `upk${type}`)].map((name) => [
  name,
  ["NoData", "BadMsg", "NoBuf"],
]);
/** Routine → errors of its manual page, both without what all of them begin with. */
const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries([...packs, ...unpacks]),
  addhosts: ["BadParam", "Already", "NoHost", "CantStart", "DupHost", "BadVersion", "OutOfRes"],
  addmhf: ["Exists"],
  archcode: ["BadParam", "NotFound"],
  barrier: ["BadParam", "NoGroup", "NotInGroup"],
  bcast: ["BadParam", "NoGroup"],
  bufinfo: ["NoSuchBuf", "BadParam"],
  delete: ["BadParam", "NotFound"],
  delhosts: ["BadParam"],
  delinfo: ["BadParam", "NotFound", "Denied"],
  delmhf: ["BadParam", "NotFound"],
  freebuf: ["BadParam", "NoSuchBuf"],
  freezegroup: ["BadParam", "DupGroup", "NotInGroup"],
  gather: ["NoInst", "BadParam"],
  getinst: ["BadParam", "NoGroup", "NotInGroup"],
  getminfo: ["BadParam", "NoSuchBuf"],
  getmwid: ["BadParam", "NoSuchBuf"],
  getopt: ["BadParam"],
  gettid: ["BadParam", "NoGroup", "NoInst"],
  gettmask: ["BadParam"],
  gsize: ["BadParam"],
  hostsync: ["NoHost", "HostFail"],
  initsend: ["BadParam"],
  insert: ["BadParam", "Denied"],
  joingroup: ["BadParam", "DupGroup"],
  kill: ["BadParam"],
  lookup: ["BadParam", "NotFound"],
  lvgroup: ["BadParam", "NoGroup", "NotInGroup"],
  mcast: ["BadParam", "NoBuf"],
  mkbuf: ["BadParam"],
  mstat: ["NoHost", "HostFail"],
  notify: ["BadParam"],
  nrecv: ["BadParam"],
  parent: ["NoParent"],
  pkmesg: ["BadParam", "NoSuchBuf", "NoBuf"],
  pkmesgbody: ["BadParam", "NoSuchBuf", "NoBuf", "Mismatch"],
  precv: ["BadParam"],
  probe: ["BadParam"],
  psend: ["BadParam"],
  pstat: ["BadParam", "NoTask"],
  putinfo: ["BadParam", "NoSuchBuf", "Exists", "Denied"],
  recv: ["BadParam"],
  recvinfo: ["BadParam", "NotFound", "Denied"],
  reduce: ["NoInst", "BadParam"],
  scatter: ["NoInst", "BadParam"],
  send: ["BadParam", "NoBuf"],
  sendsig: ["BadParam"],
  setmwid: ["BadParam", "NoSuchBuf"],
  setminfo: ["BadParam", "NoSuchBuf"],
  setopt: ["BadParam"],
  setrbuf: ["BadParam", "NoSuchBuf"],
  setsbuf: ["BadParam", "NoSuchBuf"],
  settmask: ["BadParam"],
  siblings: ["NoTask"],
  spawn: ["BadParam", "NoHost", "NoFile", "OutOfRes"],
  start_pvmd: ["DupHost"],
  tasks: ["BadParam", "NoHost"],
  tidtohost: ["BadParam"],
  trecv: ["BadParam"],
};

/** Lines that the suite expects of upvm. */
const seen = PROGRAMS.flatMap((program) =>
  [...golden(program)].flatMap(([name, printed]) => expected(program, name, printed).split("\n")),
);
/** mailbox.c's functions that call a routine with an int. */
const SHORT: Readonly<Record<string, string>> = { putinfo: "put", recvinfo: "get" };
const isSeen = (routine: string, error: string): boolean => {
  const name = routine in SHORT ? `(pvm_${routine}|${SHORT[routine]})` : `pvm_${routine}`;
  return seen.some((line) => new RegExp(`(^|= )${name}\\(.*\\): Pvm${error}$`).test(line));
};

const named = (routines: readonly string[], error: string, why: string) =>
  Object.fromEntries(routines.map((routine) => [`${routine} ${error}`, why]));
/** Documented, and given by no test: why. */
const UNSEEN: Readonly<Record<string, string>> = {
  ...named(
    ["packf", "pkstr", ...TYPES.map((type) => `pk${type}`)],
    "Overflow",
    "a message has room for each value of each type: nothing is too large to be packed",
  ),
  ...named(
    ["unpackf", ...TYPES.map((type) => `upk${type}`)],
    "BadMsg",
    "numbers are not encoded: any bytes are some number; what is no string is, for pvm_upkstr",
  ),
  ...named(
    ["barrier", "bcast", "freezegroup", "getinst", "gettid", "gsize", "joingroup", "lvgroup"],
    "BadParam",
    "for a name that is NULL, which is PvmNullGroup under PVM 3.4.6",
  ),
  "addhosts Already": "two tasks may add hosts at once",
  "addhosts BadVersion": "a daemon of another version does not come up: PvmCantStart",
  "addhosts OutOfRes": "there is room for as many hosts as have numbers",
  "mstat HostFail": "a host that does not answer is no host any more: PvmNoHost",
  "putinfo Exists": "PVM 3.4.6 gives PvmDenied, as its pvm_insert does",
  "siblings NoTask": "who asks is a task",
  "tasks BadParam": "PVM 3.4.6 takes any number, and gives PvmNoHost",
  "tidtohost BadParam": "PVM 3.4.6 takes the host's bits of any number",
};
/** Documented, and not a line of the suite because its result is elsewhere: the test that sees it, by file and title. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, title: string]>> = {
  ...Object.fromEntries(
    ["DupHost", "NoHost", "CantStart"].map((error) => [
      `addhosts ${error}`,
      ["unit/pvm-machine.test.ts", "pvm_addhosts and pvm_delhosts: a code for each host"],
    ]),
  ),
  "hostsync HostFail": [
    "unit/pvmd-jobs-apart.test.ts",
    "the clock of a host that does not answer is PvmHostFail",
  ],
  "pkmesg NoBuf": ["unit/pvm-headers.test.ts", "pvm_pkmesg, pkmesgbody and upkmesg refuse"],
  "putinfo NoSuchBuf": ["unit/pvm-message-box.test.ts", "bad parameters are refused and printed"],
  "recv BadParam": ["unit/pvm-messages.test.ts", "pvm_recv of what is no task and no tag is PvmBadParam"],
  "spawn NoFile": ["unit/pvmd-jobs-apart.test.ts", "what cannot be made is an error for its task"],
  "spawn NoHost": ["unit/pvmd-jobs-apart.test.ts", "what cannot be made is an error for its task"],
  "spawn OutOfRes": ["unit/pvmd-jobs-apart.test.ts", "what cannot be made is an error for its task"],
  ...Object.fromEntries(
    ["getmwid BadParam", "getmwid NoSuchBuf", "setmwid BadParam", "setmwid NoSuchBuf"].map((pair) => [
      pair,
      // PVM 3.4.6 declares these two, and its library does not have them.
      ["real/bad-input-runs.test.ts", "buffers that are not there have PVM's codes"],
    ]),
  ),
  "upkstr BadMsg": ["real/bad-input-runs.test.ts", "unpacking with the wrong call has PVM's codes"],
};

const wanted = Object.entries(DOCUMENTED).flatMap(([routine, errors]) =>
  errors.map((error) => [routine, error] as const),
);

test("each documented error of each routine is seen, but for those with a reason", () => {
  const missing = wanted.filter(([routine, error]) => !isSeen(routine, error)).map((pair) => pair.join(" "));
  const excused = [...Object.keys(UNSEEN), ...Object.keys(ELSEWHERE)];
  assert.deepEqual(missing.sort(), excused.sort());
});

test("a test that sees an error elsewhere is there, and names both", () => {
  for (const [pair, [file, title]] of Object.entries(ELSEWHERE)) {
    const source = readFileSync(join(import.meta.dirname, "..", file), "utf8");
    assert.ok(source.includes(`test("${title}`), `${pair}: ${file} has no test "${title}"`);
  }
});

test.run();
