/**
 * Links of an application process to the others of its job, as sockets: where they reach it, and how it reaches them.
 *
 * Owns: its listeners. Directly, it listens at an address of its host that the others are told; through the daemons, at a Unix
 * socket in its host's home, where only its own pvmd has to do with it (pvmd/routes.ts). Who may be a peer: a process of the
 * same job, which shows the key, end to end whatever carries the bytes.
 */
import { rmSync } from "node:fs";
import type { Link, PeerIdentity } from "../net/link.ts";
import { LinkStream } from "../net/link-stream.ts";
import { connect, isUnlinked, type Listener, listen } from "../net/node-links.ts";
import { acceptOver, connectOver } from "../net/node-over.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import type { LinkKind, Route } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import type { JobPeer } from "../wire/rpc-job.ts";
import { isLoopback } from "./addresses.ts";
import { processSocket } from "./home.ts";
import type { Way } from "./linking.ts";

export interface JobLinksSetup {
  readonly vm: string;
  readonly host: string;
  readonly job: number;
  readonly member: number;
  /** The host's home folder. */
  readonly folder: string;
  readonly link: LinkKind;
  readonly route: Route;
  /** For tcp and tls: the address to listen on. */
  readonly listen: string;
  /** Address of the host's own pvmd. */
  readonly daemon: string;
}

const DONE = { body: {} };
const TOLD = { body: undefined };

export class JobLinks {
  private readonly setup: JobLinksSetup;
  private readonly key: Uint8Array;
  private readonly socket: string;
  private readonly daemonLost: () => void;
  private readonly listeners: Listener[] = [];

  /** @param daemonLost  called when this host's pvmd is gone: the process is to end, and to say nothing of others */
  constructor(setup: JobLinksSetup, key: Uint8Array, daemonLost: () => void) {
    this.setup = setup;
    this.daemonLost = daemonLost;
    this.key = key;
    this.socket = processSocket(setup.folder, setup.job, setup.member);
  }

  get identity(): PeerIdentity {
    const { vm, host, job, member } = this.setup;
    return { role: "process", vm, host, job, member };
  }

  /** Only a process of the same job has to do with this one. */
  private readonly accept = (peer: PeerIdentity): string | undefined => {
    const { vm, job } = this.setup;
    const same = peer.role === "process" && peer.vm === vm && peer.job === job && peer.member !== undefined;
    return same ? undefined : `it is a process of job ${job}`;
  };

  private get isSecured(): boolean {
    return this.setup.link === "tls";
  }

  /** @returns where the others reach this process directly; if they are not to, where its pvmd does */
  async listen(onLink: (link: Link) => void): Promise<string> {
    const { link, route, listen: host } = this.setup;
    const way = route === "direct" ? undefined : this.takeWay(onLink);
    if (link !== "unix" && route !== "daemons") {
      if (way !== undefined) await this.listenHere((peer) => this.acceptDaemon(peer), way);
      return await this.listenAt(`${link}:${host}:0`, this.accept, onLink);
    }
    const direct = route !== "daemons";
    const accept = (peer: PeerIdentity) =>
      peer.role === "pvmd" && way !== undefined
        ? this.acceptDaemon(peer)
        : direct
          ? this.accept(peer)
          : "its links go through the daemons";
    return await this.listenHere(accept, (link) => (link.peer.role === "pvmd" ? way?.(link) : onLink(link)));
  }

  private acceptDaemon({ role, host }: PeerIdentity): string | undefined {
    return role === "pvmd" && host === this.setup.host ? undefined : "it is for its own daemon";
  }

  private listenHere(
    accept: (peer: PeerIdentity) => string | undefined,
    onLink: (link: Link) => void,
  ): Promise<string> {
    return this.listenAt(`unix:${this.socket}`, accept, onLink);
  }

  private async listenAt(
    address: string,
    accept: (peer: PeerIdentity) => string | undefined,
    onLink: (link: Link) => void,
  ): Promise<string> {
    const listener = await listen({ address, identity: () => this.identity, key: this.key, accept }, onLink);
    this.listeners.push(listener);
    return listener.address;
  }

  /** What this host's pvmd connects for is another's link to this process. */
  private takeWay(onLink: (link: Link) => void): (link: Link) => void {
    const options = { identity: () => this.identity, key: this.key, accept: this.accept };
    const take = acceptOver(options, this.isSecured, onLink);
    return (link) => take(this.wayOn(link).stream);
  }

  private wayOn(link: Link): { readonly stream: LinkStream; readonly rpc: Rpc } {
    const stream = new LinkStream(link, () => this.daemonAnswers());
    const handlers: Handlers = {
      routeComes: () => DONE,
      routeEnd: ({ why }) => {
        stream.endWhy = why;
        return TOLD;
      },
    };
    return { stream, rpc: new Rpc(link, handlers) };
  }

  /**
   * A connection to this host's pvmd has broken. If that is gone, so is this process in a moment, and the other end of the link is
   * not to blame: the master would take that one for lost.
   */
  private async daemonAnswers(): Promise<void> {
    try {
      const link = await connect({ address: this.setup.daemon, identity: this.identity, key: this.key });
      link.close();
    } catch (error) {
      if (!(error instanceof UpvmError)) throw error;
      this.daemonLost();
      await new Promise(() => {});
    }
  }

  /** @throws UpvmError as LinkingWorld.connect */
  connect(to: JobPeer, way: Way): Promise<Link> {
    return way === "direct" ? this.connectDirect(to) : this.connectRouted(to);
  }

  private async connectDirect({ address, host: other }: JobPeer): Promise<Link> {
    const { route, host } = this.setup;
    const { identity, key, accept } = this;
    // Who has another way does not wait for this one to the end.
    const soon = route === "auto" ? { connectMs: LIMITS.directLinkMs } : {};
    try {
      return await connect({ address, identity, key, accept, ...soon });
    } catch (error) {
      if (!(error instanceof UpvmError) || !isUnlinked(error)) throw error;
      const hint = isLoopback(address)
        ? "a host that listens on 127.0.0.1 is reached from its own machine only: start it with --listen auto"
        : "see that its firewall lets other hosts connect to it";
      throw new UpvmError("LINK_NOT_DIRECT", { host, other, why: error.message.split("\n")[0] ?? "", hint });
    }
  }

  private async connectRouted({ member, host: other }: JobPeer): Promise<Link> {
    const { job, host, daemon } = this.setup;
    const { identity, key, accept } = this;
    try {
      const below = await connect({ address: daemon, identity, key });
      const { stream, rpc } = this.wayOn(below);
      try {
        await rpc.request("route", { job, member, host: other }, undefined, LIMITS.routeMs);
        const address = `process ${member} of job ${job} on ${other}`;
        return await connectOver(stream, { address, identity, key, accept }, this.isSecured);
      } catch (error) {
        below.close();
        throw error;
      }
    } catch (error) {
      if (!(error instanceof UpvmError)) throw error;
      throw new UpvmError("LINK_NOT_ROUTED", { host, other, why: error.message.split("\n")[0] ?? "" });
    }
  }

  close(): void {
    for (const listener of this.listeners) listener.close();
    rmSync(this.socket, { force: true });
  }
}
