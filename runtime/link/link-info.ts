/**
 * Custom section `upvm.link`: what the runtime must know to run a linked module.
 *
 * JSON, so that a person can read it too. Read back with care: the file may come from anywhere.
 */
import { LINK_ABI, SECTION } from "../../wire/layout.ts";
import { customSection, sectionsOf } from "./wasm-sections.ts";

export interface LinkInfo {
  /** LINK_ABI that the module was linked for. */
  readonly abi: number;
  /** Guest's memory, pages of 64 KiB. */
  readonly pages: { readonly min: number; readonly max: number };
  /** Bytes of globals that upvm_save writes. */
  readonly stateBytes: number;
  /** Imports as "namespace.name". */
  readonly imports: readonly string[];
  /** Exported entry functions, by name. */
  readonly entries: readonly string[];
  /** The program changes its tables: how many there are (they are exported as upvm_table0 …), else 0. */
  readonly tables: number;
  /** Resume points by id: [function in the linked module, offset of the call in the original file, bytes of the frame]. */
  readonly points: readonly (readonly [number, number, number])[];
  /** It has no polls: a ULP of it is stopped where it waits, and nowhere else. */
  readonly unpolled?: true;
  /** What the link step did. */
  readonly counts: { readonly functions: number; readonly resumable: number; readonly polls: number };
}

/** @returns undefined if there is no such section or it is not in order */
export function linkInfo(wasm: Uint8Array): LinkInfo | undefined {
  const sections = sectionsOf(wasm);
  const section = sections === undefined ? undefined : customSection(wasm, sections, SECTION.link);
  if (section === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(section));
    return isLinkInfo(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLinkInfo(value: unknown): value is LinkInfo {
  if (typeof value !== "object" || value === null) return false;
  const v = value as Partial<Record<keyof LinkInfo, unknown>>;
  if (v.abi !== LINK_ABI) return typeof v.abi === "number";
  const natural = (n: unknown): boolean => typeof n === "number" && Number.isInteger(n) && n >= 0;
  const pages = v.pages as Partial<LinkInfo["pages"]> | undefined;
  const texts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((item) => typeof item === "string");
  return (
    natural(pages?.min) &&
    natural(pages?.max) &&
    natural(v.stateBytes) &&
    natural(v.tables) &&
    (v.unpolled === undefined || v.unpolled === true) &&
    texts(v.imports) &&
    texts(v.entries) &&
    Array.isArray(v.points) &&
    v.points.every((point) => Array.isArray(point) && point.length === 3 && point.every(natural))
  );
}
