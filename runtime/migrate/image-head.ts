/**
 * The head of an image: what the ULP is, and how long the parts of its image are.
 *
 * Owns: the comparison with this process and with the limits. Nothing is allocated before it; what it lets pass is bounded.
 */
import {
  GRANULE_BYTES,
  IMAGE_COUNTS,
  IMAGE_HEAD,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  PAGE_BYTES,
} from "../../wire/image.ts";
import { LINK_ABI } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { Program } from "../scheduler/programs.ts";
import { ImageError } from "./filling.ts";
import { HASH_BYTES } from "./image.ts";

export type ImageHead = {
  readonly [Name in Exclude<keyof typeof IMAGE_HEAD, "words" | "module">]: number;
} & {
  /** SHA-256 of the program, in hexadecimal digits. */
  readonly hash: string;
};

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param words  IMAGE_HEAD.words of them
 * @param programOf  program by its hash, if it is here
 * @throws ImageError foreign, version, abi, program, damaged
 */
export function headOf(
  words: Int32Array<ArrayBuffer>,
  programOf: (hash: string) => Program | undefined,
): { head: ImageHead; program: Program } {
  if (words[IMAGE_HEAD.magic] !== IMAGE_MAGIC) throw new ImageError("foreign", "it is no image of a ULP");
  const version = words[IMAGE_HEAD.version]!;
  if (version !== IMAGE_VERSION)
    throw new ImageError("version", `its format is version ${version}, here it is ${IMAGE_VERSION}`);
  const abi = words[IMAGE_HEAD.abi]!;
  if (abi !== LINK_ABI)
    throw new ImageError("abi", `its program was linked for interface ${abi}, here it is ${LINK_ABI}`);
  const hash = hexOf(new Uint8Array(words.buffer, 4 * IMAGE_HEAD.module, HASH_BYTES));
  const program = programOf(hash);
  if (program === undefined) throw new ImageError("program", `its program ${hash.slice(0, 12)} is not here`);
  const names = Object.keys(IMAGE_HEAD) as (keyof typeof IMAGE_HEAD)[];
  const numbers = Object.fromEntries(names.map((name) => [name, words[IMAGE_HEAD[name]]!]));
  const head = { ...numbers, hash } as unknown as ImageHead;
  for (const [name, least, most] of bounds(head, program)) refuseBeyond(name, head[name], least, most);
  return { head, program };
}

/** What is bounded by what has come. @throws ImageError damaged */
export function countsOf(
  head: ImageHead,
  words: Int32Array,
): { readonly buffers: number; readonly messages: number } {
  const [buffers, messages] = [words[IMAGE_COUNTS.buffers]!, words[IMAGE_COUNTS.messages]!];
  refuseBeyond("messages", messages, 0, LIMITS.messagesPerUlp);
  refuseBeyond("buffers", buffers, 0, head.rows + messages);
  return { buffers, messages };
}

function refuseBeyond(name: string, value: number, least: number, most: number): void {
  if (value < least || value > most)
    throw new ImageError("damaged", `${name} is ${value}, which is not in ${least} … ${most}`);
}

type Bound = readonly [name: Exclude<keyof ImageHead, "hash">, least: number, most: number];

function bounds(head: ImageHead, program: Program): Bound[] {
  const has = head.pages > 0;
  const granules = (head.pages * PAGE_BYTES) / GRANULE_BYTES;
  const globals = has ? program.stateBytes : 0;
  const tables = has ? program.tables : 0;
  return [
    ["index", 0, LIMITS.ulps - 1],
    ["pages", has ? program.pages.min : 0, program.pages.max],
    ["runs", 0, (granules + 1) >> 1],
    ["frameBytes", 0, has ? LIMITS.framesBytesMax : 0],
    ["globalBytes", globals, globals],
    ["tables", tables, tables],
    ["more", 0, 1],
    ["handlers", 0, head.more * LIMITS.handlersPerUlp],
    ["frames", 0, head.more * LIMITS.interruptsPerUlp],
    ["rows", 0, LIMITS.buffersPerUlp],
    ["argsBytes", 0, LIMITS.imageTextBytes],
    ["exportBytes", 0, LIMITS.imageTextBytes],
    ["traceBytes", 0, head.more * LIMITS.imageTraceBytes],
    ["heldBytes", 0, LIMITS.outputLineBytes],
    ["heldErrorBytes", 0, LIMITS.outputLineBytes],
    ["fileBytes", 0, LIMITS.imageTextBytes],
  ];
}
