/**
 * The machine and its message box with AssemblyScript's strings and lists: hosts, notify, putinfo, recvinfo.
 *
 * Owns: nothing that lasts. What fails gives a negative number, one of `Pvm…`, as in C.
 */
import {
  pvm_addhosts, pvm_archcode, pvm_config_get, pvm_delete, pvm_delhosts, pvm_delinfo, pvm_hostsync, pvm_insert,
  pvm_lookup, pvm_mboxinfo_get, pvm_mstat, pvm_notify, pvm_putinfo, pvm_recvinfo, pvm_spawn_environ,
  pvm_start_pvmd, pvm_trace_begin, pvm_trace_end,
} from "./imports";
import { PvmOk, TEV_CONFIG, TEV_GETFDS, TEV_GETMBOXINFO } from "./constants";

/** Bytes of a host's name and its architecture, most. */
const HOST_BYTES = 512;
const CONFIG_INTS = 3;
const FIRST_HOSTS = 16;
const BOX_INTS = 4;
/** Entries of the message box, and bytes of each one's name, for which there is room at first. */
const FIRST_ENTRIES = 16;
const NAME_BYTES = 32;

// @ts-ignore: decorator
@lazy const numbers = memory.data(32, 16);

function utf8(text: string): ArrayBuffer {
  return String.UTF8.encode(text, true);
}

/** The texts that stand one behind the other, each with its NUL. */
function textsAt(at: usize, count: i32): string[] {
  const texts = new Array<string>();
  for (let i = 0; i < count; i++) {
    let end = at;
    while (load<u8>(end) != 0) end++;
    texts.push(String.UTF8.decodeUnsafe(at, end - at));
    at = end + 1;
  }
  return texts;
}

/** Version of PVM's interface. Source: pvm_version(3PVM) */
export function version(): string {
  return "3.4.6";
}

/** File descriptors to wait for: none, a ULP's messages come by shared memory. Source: pvm_getfds(3PVM) */
export function getfds(): StaticArray<i32> {
  pvm_trace_begin(TEV_GETFDS, 0, 0);
  pvm_trace_end(TEV_GETFDS, 0, 0, 0);
  return new StaticArray<i32>(0);
}

/** A row of pvm_config(3PVM). */
export class HostInfo {
  /** Tid of its daemon. */
  tid: i32 = 0;
  name: string = "";
  arch: string = "";
  speed: i32 = 0;
  /** Data signature. */
  dsig: i32 = 0;
}

/** The hosts of the virtual machine; an error gives an empty list. */
export function config(): HostInfo[] {
  const hosts = new Array<HostInfo>();
  let room = FIRST_HOSTS;
  let count = 0;
  let rows: StaticArray<i32>;
  let names: ArrayBuffer;
  pvm_trace_begin(TEV_CONFIG, 0, 0);
  // Mostly one question is enough: a resource manager is asked each time.
  do {
    room = max(room, count);
    rows = new StaticArray<i32>(room * CONFIG_INTS);
    names = new ArrayBuffer(room * HOST_BYTES + 1);
    count = pvm_config_get(changetype<usize>(rows), room, changetype<usize>(names), room * HOST_BYTES);
  } while (count > room);
  // All hosts have the same architecture.
  pvm_trace_end(TEV_CONFIG, min(count, PvmOk), count, min(count, 1));
  if (count < 0) return hosts;
  const texts = textsAt(changetype<usize>(names), 2 * count);
  for (let i = 0; i < count; i++) {
    const host = new HostInfo();
    host.tid = rows[CONFIG_INTS * i];
    host.speed = rows[CONFIG_INTS * i + 1];
    host.dsig = rows[CONFIG_INTS * i + 2];
    host.name = texts[2 * i];
    host.arch = texts[2 * i + 1];
    hosts.push(host);
  }
  return hosts;
}

/** PvmOk if the host is up, PvmNoHost if it is none of the virtual machine's. Source: pvm_mstat(3PVM) */
export function mstat(host: string): i32 {
  return pvm_mstat(changetype<usize>(utf8(host)));
}

/** Data signature of an architecture; PvmNotFound. Source: pvm_archcode(3PVM) */
export function archcode(arch: string): i32 {
  return pvm_archcode(changetype<usize>(utf8(arch)));
}

/** PvmDupHost: a task runs in a virtual machine already. Source: pvm_start_pvmd(3PVM) */
export function start_pvmd(): i32 {
  return pvm_start_pvmd(0, 0, 0);
}

/** C's `char **`: keep `texts` while it is used. */
function pointers(texts: ArrayBuffer[]): StaticArray<usize> {
  const list = new StaticArray<usize>(texts.length + 1);
  for (let i = 0; i < texts.length; i++) list[i] = changetype<usize>(texts[i]);
  return list;
}

function buffers(texts: string[]): ArrayBuffer[] {
  const list = new Array<ArrayBuffer>();
  for (let i = 0; i < texts.length; i++) list.push(utf8(texts[i]));
  return list;
}

/** How many hosts were added; `infos` gets a tid or an error for each. Source: pvm_addhosts(3PVM) */
export function addhosts(hosts: string[], infos: StaticArray<i32>): i32 {
  const texts = buffers(hosts);
  const list = pointers(texts);
  return pvm_addhosts(changetype<usize>(list), min(hosts.length, infos.length), changetype<usize>(infos));
}

/** How many hosts were removed; `infos` gets 0 or an error for each. Source: pvm_delhosts(3PVM) */
export function delhosts(hosts: string[], infos: StaticArray<i32>): i32 {
  const texts = buffers(hosts);
  const list = pointers(texts);
  return pvm_delhosts(changetype<usize>(list), min(hosts.length, infos.length), changetype<usize>(infos));
}

/** A host's clock, and by how much the caller's is ahead of it, microseconds; `info` is the error. */
export class HostTime {
  info: i32 = 0;
  us: i64 = 0;
  deltaUs: i64 = 0;
}

/** Source: pvm_hostsync(3PVM) */
export function hostsync(host: i32): HostTime {
  const time = new HostTime();
  time.info = pvm_hostsync(host, numbers, numbers + 16);
  if (time.info < 0) return time;
  time.us = load<i64>(numbers) * 1000000 + load<i32>(numbers + 8);
  time.deltaUs = load<i64>(numbers + 16) * 1000000 + load<i32>(numbers + 24);
  return time;
}

/**
 * Asks for a message with `tag` for each of `tids` when it ends (PvmTaskExit), or a host goes (PvmHostDelete).
 *
 * @param count  PvmHostAdd: how often; -1 for ever; without it as many as there are tids. Source: pvm_notify(3PVM)
 */
export function notify(what: i32, tag: i32, tids: StaticArray<i32>, count: i32 = tids.length): i32 {
  return pvm_notify(what, tag, count, changetype<usize>(tids));
}

/** Puts a message into the message box. @returns its index, or an error. Source: pvm_putinfo(3PVM) */
export function putinfo(name: string, bufid: i32, flags: i32 = 0): i32 {
  return pvm_putinfo(changetype<usize>(utf8(name)), bufid, flags);
}

/** A message of the message box becomes the receive buffer. @returns its bufid. Source: pvm_recvinfo(3PVM) */
export function recvinfo(name: string, index: i32 = 0, flags: i32 = 0): i32 {
  return pvm_recvinfo(changetype<usize>(utf8(name)), index, flags);
}

/** Deletes an entry of the message box. @returns its index. Source: pvm_delinfo(3PVM) */
export function delinfo(name: string, index: i32 = 0, flags: i32 = 0): i32 {
  return pvm_delinfo(changetype<usize>(utf8(name)), index, flags);
}

/** Old form of putinfo: an int. @returns its index; PvmDenied: there is one. Source: pvm_insert(3PVM) */
export function insert(name: string, req: i32, data: i32): i32 {
  return pvm_insert(changetype<usize>(utf8(name)), req, data);
}

/** An int by its name. */
export class Found {
  /** Its index, or an error. */
  index: i32 = 0;
  data: i32 = 0;
}

/** Old form of recvinfo. `req` -1: the first. Source: pvm_lookup(3PVM) */
export function lookup(name: string, req: i32 = -1): Found {
  const found = new Found();
  found.index = pvm_lookup(changetype<usize>(utf8(name)), req, numbers);
  if (found.index >= 0) found.data = load<i32>(numbers);
  return found;
}

/** Old form of delinfo; C's pvm_delete, since `delete` is a word of the language. Source: pvm_delete(3PVM) */
export function remove(name: string, req: i32): i32 {
  return pvm_delete(changetype<usize>(utf8(name)), req);
}

/** An entry of the message box, as pvm_getmboxinfo(3PVM) tells. */
export class MboxEntry {
  name: string = "";
  index: i32 = 0;
  /** Tid of who put it, 0: that has ended. */
  owner: i32 = 0;
  flags: i32 = 0;
}

/** Entries of the classes whose names have `pattern` in them; "*" is anything. An error gives an empty list. */
export function getmboxinfo(pattern: string = "*"): MboxEntry[] {
  const text = utf8(pattern);
  pvm_trace_begin(TEV_GETMBOXINFO, changetype<usize>(text), 0);
  const entries = listBoxes(text);
  pvm_trace_end(TEV_GETMBOXINFO, PvmOk, 0, 0);
  return entries;
}

function listBoxes(text: ArrayBuffer): MboxEntry[] {
  const entries = new Array<MboxEntry>();
  let room = FIRST_ENTRIES;
  let bytes = NAME_BYTES * FIRST_ENTRIES;
  let rows: StaticArray<i32>;
  let names: ArrayBuffer;
  let classes: i32;
  let count: i32;
  // Others may put more into it meanwhile: each question has twice the room, and the box has a limit.
  for (;;) {
    rows = new StaticArray<i32>(room * BOX_INTS);
    names = new ArrayBuffer(bytes + 1);
    classes = pvm_mboxinfo_get(
      changetype<usize>(text), changetype<usize>(rows), room, changetype<usize>(names), bytes, numbers,
    );
    if (classes < 0) return entries;
    count = load<i32>(numbers);
    const needed = load<i32>(numbers + 4);
    if (count <= room && needed <= bytes) break;
    room = max(2 * room, count);
    bytes = max(2 * bytes, needed);
  }
  const texts = textsAt(changetype<usize>(names), classes);
  for (let i = 0; i < count; i++) {
    const entry = new MboxEntry();
    entry.name = texts[rows[BOX_INTS * i]];
    entry.index = rows[BOX_INTS * i + 1];
    entry.owner = rows[BOX_INTS * i + 2];
    entry.flags = rows[BOX_INTS * i + 3];
    entries.push(entry);
  }
  return entries;
}

// @ts-ignore: decorator
@lazy const exported = new Map<string, string>();

/** What tasks spawned from now on find in their environment: `NAME=VALUE`. */
export function spawn_environ(env: string[]): i32 {
  const texts = buffers(env);
  const list = pointers(texts);
  return pvm_spawn_environ(changetype<usize>(list));
}

function setExported(): i32 {
  const env = new Array<string>();
  const names = exported.keys();
  for (let i = 0; i < names.length; i++) env.push(names[i] + "=" + exported.get(names[i]));
  return spawn_environ(env);
}

/**
 * Gives tasks that are spawned from now on a variable in their environment. C's pvm_export, which takes the value from
 * the task's own environment and is a word of the language here. Source: pvm_export(3PVM)
 */
export function export_variable(name: string, value: string): i32 {
  exported.set(name, value);
  return setExported();
}

/** Takes it out again; one that is not exported is no error. Source: pvm_unexport(3PVM) */
export function unexport_variable(name: string): i32 {
  if (exported.has(name)) exported.delete(name);
  return setExported();
}

/** A variable of the environment, or what stands for it. */
function setting(name: string, otherwise: string): string {
  return process.env.has(name) ? process.env.get(name) : otherwise;
}

/** Command that starts daemons on other hosts: PVM_RSH of the environment, else rsh. */
export function getrsh(): string {
  return setting("PVM_RSH", "rsh");
}

/** Folder of temporary files: PVM_TMP of the environment, else /tmp. */
export function gettmp(): string {
  return setting("PVM_TMP", "/tmp");
}
