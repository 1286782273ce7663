/**
 * The service of a virtual machine: takes requests of tasks, one handler for each kind, and answers them.
 *
 * Owns: which handler is asked, and that each request that wants an answer gets one or is parked. A request is parked if
 * it has to wait for what another task does: its handler keeps it and answers it later.
 * No clock and no socket in here; what the service knows is in the control store, what it does goes to `Host`.
 */
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request, RequestKind, RequestOf } from "../wire/requests.ts";
import { freeContext, newContext } from "./contexts.ts";
import type { ControlStore } from "./control-store.ts";
import type { Host } from "./host.ts";

/** The virtual machine as its handlers see it. */
export interface Machine {
  readonly store: ControlStore;
  readonly host: Host;
}

/** Answers a request; undefined: it is parked, or nobody waits for an answer. */
export type Handler<K extends RequestKind> = (
  machine: Machine,
  request: RequestOf<K>,
) => Promise<Answer | undefined>;
export type Handlers = { readonly [K in RequestKind]: Handler<K> };

const handlers: Handlers = {
  newContext: async ({ store }) => ({ value: await newContext(store) }),
  freeContext: async ({ store }, { body }) => ({ value: await freeContext(store, body.context) }),
  load: async ({ host }, { body }) => ({ value: await host.load(body.name) }),
};

export class Service {
  private readonly machine: Machine;

  constructor(store: ControlStore, host: Host) {
    this.machine = { store, host };
  }

  /**
   * Deals with one request. Resolves when it is answered, parked or done, and all that follows from it for now too: who
   * looks for a deadlock may stop counting it. A handler that fails is a bug of ours; its task gets PvmSysErr.
   */
  async take(request: Request): Promise<void> {
    const { host } = this.machine;
    try {
      const answer = await this.handle(request);
      if (answer !== undefined && request.serial !== 0) host.answer(request, answer);
    } catch (error) {
      if (request.serial !== 0) host.answer(request, { value: PVM_ERROR.PvmSysErr.code });
      throw error;
    }
  }

  private handle<K extends RequestKind>(request: RequestOf<K>): Promise<Answer | undefined> {
    const handler: Handler<K> = handlers[request.kind];
    return handler(this.machine, request);
  }
}
