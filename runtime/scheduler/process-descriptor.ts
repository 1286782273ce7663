/**
 * Process descriptor (paper, 3.2.1): what this process can give a ULP, to be compared with other processes'
 * before ULPs are created (3.2.2, iii–v).
 *
 * The paper's are ranges of free addresses and the direction of stack growth. A wasm memory begins at 0
 * everywhere and its stack grows as its compiler decided, so what can differ is the size of a memory, the
 * size of the heap, the wasm features, and the version of the interface between linked modules and this
 * library. Owns: the comparison. Pure.
 */
import { LINK_ABI } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";

export interface ProcessDescriptor {
  /** LINK_ABI: the library is "at the same place" in two processes if this is equal (3.2.2, v). */
  readonly abi: number;
  /** Largest linear memory of one ULP, pages of 64 KiB. */
  readonly pages: number;
  /** Process heap, bytes. */
  readonly heapBytes: number;
  readonly ulps: number;
  readonly engines: number;
  /** Wasm features beyond the first version that its engine has, by their usual names. */
  readonly features: readonly string[];
}

/** Features that linked modules need; a ULP can run where all of them are. */
export const FEATURES = ["bulk-memory", "multi-memory", "mutable-globals", "simd", "threads"] as const;

export function thisProcess(heapBytes: number, engines: number): ProcessDescriptor {
  return {
    abi: LINK_ABI,
    pages: LIMITS.memoryPages,
    heapBytes,
    ulps: LIMITS.ulps,
    engines,
    features: FEATURES,
  };
}

/**
 * What all processes of an application can give: ULPs that fit into it can move anywhere. (3.2.1: the
 * intersection of the address ranges)
 *
 * @returns a text if the processes cannot work together
 */
export function usable(
  all: readonly [ProcessDescriptor, ...ProcessDescriptor[]],
): ProcessDescriptor | string {
  const [first] = all;
  const other = all.find(({ abi }) => abi !== first.abi);
  if (other !== undefined)
    return `processes have versions ${first.abi} and ${other.abi} of upvm's interface; install the same upvm`;
  const least = (of: (p: ProcessDescriptor) => number): number => Math.min(...all.map(of));
  return {
    abi: first.abi,
    pages: least((p) => p.pages),
    heapBytes: least((p) => p.heapBytes),
    ulps: least((p) => p.ulps),
    engines: least((p) => p.engines),
    features: first.features.filter((name) => all.every(({ features }) => features.includes(name))),
  };
}
