/**
 * One watch of a store in another process: what it has told, so that it can go on over another link without a gap.
 *
 * Owns: the keys with their revisions as they were told (not their values). After a new beginning the server sends what
 * there is; what differs is told. Pure.
 */
import type { Changed, Entry } from "./control-store.ts";
import { unpackChanges } from "./store-codec.ts";

export class RemoteWatch {
  id = 0;
  private readonly prefix: string;
  private readonly told: (change: Changed) => void;
  /** Undefined: the first beginning, of which nothing is told but what changes. */
  private known: Map<string, number> | undefined;
  /** What came before the reply was taken. */
  private early: Changed[] | undefined;
  private last = 0;
  private over = false;

  constructor(prefix: string, told: (change: Changed) => void) {
    this.prefix = prefix;
    this.told = told;
  }

  /** What to ask for, now. */
  restart(): { readonly watch: number; readonly prefix: string; readonly values: boolean } {
    this.early = [];
    return { watch: this.id, prefix: this.prefix, values: this.known !== undefined };
  }

  /** The reply: what there is, then what changed while it was made. */
  started(id: number, bytes: Uint8Array, entryCount: number, changeCount: number): void {
    // It began anew while the reply was on its way.
    if (id !== this.id) return;
    const all = unpackChanges(bytes, entryCount + changeCount, "storeWatch");
    const entries = all
      .slice(0, entryCount)
      .flatMap(({ key, entry }) => (entry ? [[key, entry] as const] : []));
    const early = this.early ?? [];
    this.early = undefined;
    const changes = [...all.slice(entryCount), ...early];
    if (this.known === undefined) {
      this.known = new Map(entries.map(([key, { revision }]) => [key, revision]));
      for (const change of changes) this.tell(change);
    } else {
      this.catchUp(this.known, entries);
      // What there is shows the changes up to its newest entry, at least.
      const shown = this.last;
      for (const change of changes) if (change.revision > shown) this.tell(change);
    }
  }

  changed(bytes: Uint8Array, count: number): void {
    const changes = unpackChanges(bytes, count, "storeChanged");
    if (this.early !== undefined) this.early.push(...changes);
    else for (const change of changes) this.tell(change);
  }

  end(): void {
    this.over = true;
  }

  /** Tells what differs from what was told. */
  private catchUp(known: Map<string, number>, entries: readonly (readonly [string, Entry])[]): void {
    const there = new Set(entries.map(([key]) => key));
    const changed = entries
      .filter(([key, { revision }]) => known.get(key) !== revision)
      .sort(([, a], [, b]) => a.revision - b.revision);
    for (const [key, entry] of changed) this.tell({ key, entry, revision: entry.revision });
    for (const [, { revision }] of entries) this.last = Math.max(this.last, revision);
    // When these were deleted is not known.
    for (const key of [...known.keys()])
      if (!there.has(key)) this.tell({ key, entry: undefined, revision: this.last });
  }

  private tell(change: Changed): void {
    const { key, entry } = change;
    if (entry === undefined) this.known?.delete(key);
    else this.known?.set(key, entry.revision);
    this.last = Math.max(this.last, change.revision);
    if (!this.over) this.told(change);
  }
}
