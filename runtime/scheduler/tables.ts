/**
 * The function tables that a program changes, as numbers: part of a ULP's state when it moves.
 *
 * Owns: the way from a table's entries to numbers and back. A function has no form outside its instance; the
 * link step exports a table of every function that may be in a table (`upvm_functions`), the same in every
 * instance.
 */
import assert from "node:assert";
import type { LinkedExports } from "./context.ts";

/** Entry of an empty place. */
const EMPTY = -1;

function tableOf(linked: LinkedExports, name: string): WebAssembly.Table {
  const table = (linked as unknown as WebAssembly.Exports)[name];
  assert(table instanceof WebAssembly.Table, `bug: the linked module does not export ${name}`);
  return table;
}

/** @param tables  how many the program changes: exports upvm_table0 … */
export function saveTables(linked: LinkedExports, tables: number): Int32Array[] {
  if (tables === 0) return [];
  const functions = tableOf(linked, "upvm_functions");
  const numbers = new Map<unknown, number>();
  for (let i = 0; i < functions.length; i++) numbers.set(functions.get(i), i);
  return Array.from({ length: tables }, (_, t) => {
    const table = tableOf(linked, `upvm_table${t}`);
    return Int32Array.from({ length: table.length }, (_, i) => numbers.get(table.get(i)) ?? EMPTY);
  });
}

export function loadTables(linked: LinkedExports, saved: readonly Int32Array[]): void {
  if (saved.length === 0) return;
  const functions = tableOf(linked, "upvm_functions");
  saved.forEach((entries, t) => {
    const table = tableOf(linked, `upvm_table${t}`);
    if (table.length < entries.length) table.grow(entries.length - table.length);
    entries.forEach((number, i) => {
      table.set(i, number === EMPTY ? null : functions.get(number));
    });
  });
}
