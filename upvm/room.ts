/**
 * Whether a ULP of another process can come here.
 *
 * Owns: why it cannot: versions, its program, memory. It is asked twice: while the ULP is being stopped, with what its program
 * needs at least, and when it has been stopped and what it has grown to is known, before any of its state is taken in. What was
 * promised to others that come is not free.
 */
import type { Refused, Weight } from "../runtime/migrate/moves.ts";
import { IMAGE_VERSION } from "../wire/image.ts";
import { HEAD, LINK_ABI } from "../wire/layout.ts";
import type { Offer } from "./move-frames.ts";
import type { PartProcess } from "./run-here.ts";

/** The process that a ULP would come to. */
export interface Room {
  readonly process: Pick<PartProcess, "library">;
  /** As MoverWorld. */
  availableBytes(wantedBytes: number): number;
  /** Of that, and of the process heap: what others that come will still take. */
  readonly promised: Weight;
}

/** @param hasProgram  its program is here. @returns undefined: it can come, as far as is known */
export function refusal(
  { hash, bytes, abi, image }: Offer,
  hasProgram: boolean,
  room: Room,
): Refused | undefined {
  if (abi !== LINK_ABI) return { code: "version", detail: `interface ${LINK_ABI}, not ${abi}` };
  if (image !== IMAGE_VERSION) return { code: "version", detail: `images ${IMAGE_VERSION}, not ${image}` };
  if (!hasProgram) return { code: "program", detail: `${hash.slice(0, 12)} is not there` };
  return noRoom(room, { memoryBytes: bytes, heapBytes: 0 });
}

/** @returns undefined: there is room for it just now */
export function noRoom(room: Room, { memoryBytes, heapBytes }: Weight): Refused | undefined {
  const promisedBytes = room.promised.memoryBytes;
  const available = Math.max(0, room.availableBytes(memoryBytes + promisedBytes) - promisedBytes);
  if (memoryBytes > available)
    return { code: "noMemory", detail: `${mb(available)} MB are free, it needs ${mbUp(memoryBytes)}` };
  // Up to a chunk the arenas may have to spare; who is wrong about that finds out when its state comes.
  const { library } = room.process;
  const left = Math.max(0, library.heap.leftBytes() - room.promised.heapBytes);
  if (heapBytes > left && heapBytes > library.w[HEAD.chunkBytes]!)
    return {
      code: "noMemory",
      detail: `the process heap has ${mb(left)} MB left, it needs ${mbUp(heapBytes)}`,
    };
  return undefined;
}

const mb = (bytes: number): number => Math.floor(bytes / (1 << 20));
/** What is needed is told rounded up: 0 would be free as well. */
const mbUp = (bytes: number): number => Math.ceil(bytes / (1 << 20));
