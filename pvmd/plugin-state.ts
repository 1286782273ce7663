/**
 * What a service knows of plug-ins besides who they are: requests that wait for one, tasks that one has to let run.
 *
 * Owns: these, and the cached rows of `plugin/<kind>` of the store: whoever is registered has its row under its lease. The
 * requests are of this service's tasks.
 */
import { PLUGIN_BIT, type PluginKind } from "../wire/plugins.ts";
import type { Request } from "../wire/requests.ts";
import type { ControlStore } from "./control-store.ts";

/** A row of the store. */
export interface Registered {
  readonly tid: number;
  /** What a tracer wants: TRACER without its tid. */
  readonly wants?: readonly number[];
}

/** A request that waits for a plug-in's answer. */
export interface Parked {
  readonly request: Request;
  /** Tid of the plug-in, and the tag that it answers with. */
  readonly by: number;
  readonly tag: number;
  /** Codes that are known already, by the request's own order; `open`: places that the plug-in fills. */
  readonly codes: number[];
  readonly open: readonly number[];
  /** Of a hoster's: tid that the first of the hosts is to have. */
  readonly first?: number;
}

const PREFIX = "plugin/";
export const keyOfPlugin = (kind: PluginKind): string => `${PREFIX}${kind}`;

export class PluginState {
  /** By wait id. */
  readonly parked = new Map<number, Parked>();
  /** Tasks that do not run yet → the tasker that has to let them. */
  readonly held = new Map<number, number>();
  /** Tasks that a resource manager has started with SM_EXEC → its tid. */
  readonly managed = new Map<number, number>();
  private readonly rows = new Map<PluginKind, Registered>();
  private readonly told: (bits: number) => void;
  private lastWaitId = 0;

  /** @param told  gets the bits of PLUGIN_BIT when a row comes or goes */
  constructor(store: ControlStore, told: (bits: number) => void) {
    this.told = told;
    store.watch(PREFIX, ({ key, entry }) => {
      const kind = key.slice(PREFIX.length) as PluginKind;
      if (entry === undefined) this.rows.delete(kind);
      else this.rows.set(kind, JSON.parse(new TextDecoder().decode(entry.value)) as Registered);
      this.tell();
    });
  }

  private tell(): void {
    this.told([...this.rows.keys()].reduce((bits, each) => bits | PLUGIN_BIT[each], 0));
  }

  registered(kind: PluginKind): Registered | undefined {
    return this.rows.get(kind);
  }

  /** Keeps a request until a plug-in answers. @returns its wait id, above 0 */
  park(parked: Parked): number {
    this.lastWaitId = (this.lastWaitId % MAX_WAIT_ID) + 1;
    this.parked.set(this.lastWaitId, parked);
    return this.lastWaitId;
  }

  /** The request that an answer is for: by its wait id, without one the oldest of that tag. */
  answered(by: number, tag: number, wid: number, to?: number): Parked | undefined {
    for (const [id, parked] of this.parked) {
      const fits = parked.by === by && parked.tag === tag && (to === undefined || parked.request.tid === to);
      if (!fits || (wid !== 0 && wid !== id)) continue;
      this.parked.delete(id);
      return parked;
    }
    return undefined;
  }

  /**
   * All that a task has to do with is over: it has ended. A store may tell only later that its rows are gone: until then
   * nobody must wait for it anew. @returns what waits for it no more
   */
  forget(tid: number): { readonly requests: readonly Request[]; readonly held: readonly number[] } {
    for (const [kind, row] of [...this.rows]) {
      if (row.tid !== tid) continue;
      this.rows.delete(kind);
      this.tell();
    }
    const requests: Request[] = [];
    for (const [id, { request, by }] of [...this.parked]) {
      if (request.tid !== tid && by !== tid) continue;
      this.parked.delete(id);
      if (request.tid !== tid) requests.push(request);
    }
    this.held.delete(tid);
    const held = [...this.held].filter(([, by]) => by === tid).map(([task]) => task);
    for (const task of held) this.held.delete(task);
    for (const [task, manager] of [...this.managed]) if (manager === tid) this.managed.delete(task);
    return { requests, held };
  }
}
const MAX_WAIT_ID = 0x3fffffff;
