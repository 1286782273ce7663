/**
 * How an application process comes to its links to the others of its job.
 *
 * Owns: who connects to whom, and links until the process runs (then PeerLinks has them). Of two processes the one with the
 * higher number connects: each has one link to each other, and one that joins a job that runs connects to all that are there.
 * Which way a link goes: directly, or through the daemons, as the job's wish says. What it stands on is the edge's. Pure.
 */
import type { Link } from "../net/link.ts";
import { UpvmError } from "../wire/errors.ts";
import type { Route } from "../wire/job.ts";
import type { JobPeer } from "../wire/rpc-job.ts";

/** The two ways that there are. */
export type Way = Exclude<Route, "auto">;

/** A link that goes through the daemons, to this member; `why` not directly, if that was tried. */
export interface Routed {
  readonly member: number;
  readonly why?: string;
}

export interface LinkingWorld {
  /** This process's number in its job. */
  readonly member: number;
  /** @throws UpvmError LINK_NOT_DIRECT: the other has no link either; any other: it may have */
  connect(to: JobPeer, way: Way): Promise<Link>;
  /** From now on frames of this link are taken. */
  add(member: number, link: Link): void;
}

export class Linking {
  private readonly world: LinkingWorld;
  private readonly made = new Map<number, Link>();
  /** What has come of a member before it was waited for; undefined: it is gone, and connects no more. */
  private readonly early = new Map<number, Link | undefined>();
  private readonly awaited = new Map<number, (link: Link | undefined) => void>();
  private begun = false;

  constructor(world: LinkingWorld) {
    this.world = world;
  }

  /** Another process has connected. */
  came(link: Link): void {
    const { member } = link.peer;
    if (member === undefined) return link.close();
    const wanted = this.awaited.get(member);
    this.awaited.delete(member);
    if (wanted !== undefined) wanted(link);
    else if (this.begun) this.world.add(member, link);
    else this.early.set(member, link);
  }

  /** A process is gone: nobody waits for it. */
  gone(member: number): void {
    this.awaited.get(member)?.(undefined);
    this.awaited.delete(member);
    if (!this.early.has(member)) this.early.set(member, undefined);
  }

  /**
   * A link to each of them that is not gone. They read from now on, and take frames later.
   *
   * @param members  this process may be among them
   * @returns those of the links that this process has made that go through the daemons
   * @throws UpvmError of the edge's connect
   */
  async toAll(members: readonly JobPeer[], route: Route): Promise<readonly Routed[]> {
    const { member: own } = this.world;
    const routed: Routed[] = [];
    const one = async (peer: JobPeer): Promise<void> => {
      const { member } = peer;
      const made = member < own ? this.connect(peer, route, routed) : this.from(member);
      const link = await made;
      if (link !== undefined) this.made.set(member, link);
    };
    await Promise.all(members.filter(({ member }) => member !== own).map(one));
    return routed;
  }

  private async connect(peer: JobPeer, route: Route, routed: Routed[]): Promise<Link> {
    const { member } = peer;
    let why: string | undefined;
    if (route !== "daemons")
      try {
        return await this.world.connect(peer, "direct");
      } catch (error) {
        if (route === "direct" || !(error instanceof UpvmError) || error.code !== "LINK_NOT_DIRECT")
          throw error;
        why = `${error.facts["why"]}`;
      }
    const link = await this.world.connect(peer, "daemons");
    routed.push({ member, ...(why !== undefined && { why }) });
    return link;
  }

  private from(member: number): Promise<Link | undefined> | Link | undefined {
    if (this.early.has(member)) return this.early.get(member);
    return new Promise((done) => this.awaited.set(member, done));
  }

  /** Those that `toAll` has linked to. */
  get members(): readonly number[] {
    return [...this.made.keys()];
  }

  /** The process runs: frames are taken, also of links that came besides, and of those that come. */
  begin(): void {
    this.begun = true;
    const all = new Map([...this.early, ...this.made]);
    for (const [member, link] of all) if (link !== undefined) this.world.add(member, link);
  }
}
