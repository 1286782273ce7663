/** Hosts of a virtual machine, as lines and as JSON. Pure. */
import type { HostRow } from "../pvmd/host-table.ts";
import { shownAddress } from "./addresses.ts";

const GIB = 1 << 30;
/** PVM's tid of a host's daemon: its number above the 18 bits of tasks. (pvm_config(3PVM)) */
const HOST_SHIFT = 18;

/** What --json tells of a host. */
export function hostJson(row: HostRow): Record<string, string | number> {
  const { name, number, arch, state, address, cores, memoryBytes, node, version, pid } = row;
  const tid = number << HOST_SHIFT;
  return {
    name,
    number,
    tid,
    arch,
    state,
    address: shownAddress(address),
    cores,
    memoryBytes,
    node,
    version,
    pid,
  };
}

/** A table with a line of headings. */
export function hostLines(rows: readonly HostRow[]): string[] {
  const cells = rows.map((row) => [
    row.name,
    (row.number << HOST_SHIFT).toString(16),
    row.arch,
    row.state,
    String(row.cores),
    `${(row.memoryBytes / GIB).toFixed(1)} GB`,
    row.node,
    shownAddress(row.address),
  ]);
  return columns([["HOST", "DTID", "ARCH", "STATE", "CORES", "MEMORY", "NODE", "ADDRESS"], ...cells]);
}

/** Pads each column to its longest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
