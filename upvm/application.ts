/**
 * An application process: the ULPs of one job on one host (the paper's process with its library).
 *
 * Owns: the order of its life, and what passes between its runtime, the master (requests) and the other processes of the job
 * (linking.ts, peer-links.ts). Where ULPs are, and moves, is mover.ts; the run is run-here.ts; sockets and files are the edge's
 * (node-application.ts). It ends, and its ULPs with it, when its link to the master does.
 *
 *     hello ▶ its job ▶ program ▶ ready ▶ (all are) begin ▶ links ▶ run … ▶ finish or stop ▶ result
 */
import type { Frame, Link } from "../net/link.ts";
import type { Handlers, Rpc } from "../net/rpc.ts";
import type { ControlStore } from "../pvmd/control-store.ts";
import type { CreateOrder } from "../pvmd/router.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import { drainOutbox, keepOutgoing, type Outgoing, releaseOutgoing } from "../runtime/scheduler/outbox.ts";
import { endedOutside, takeOutside } from "../runtime/scheduler/outside.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { type JobSpec, seatsOf } from "../wire/job.ts";
import { HEAD, LINK_ABI, ULP } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import { tidBaseOf, tidOf } from "../wire/pvm.ts";
import { type JobPeer, type JobStop, LOCATED } from "../wire/rpc-job.ts";
import { decodeAnswer, encodeRequest } from "../wire/ulp-requests.ts";
import { checkpointHandlers } from "./application-checkpoint.ts";
import { lookHandlers } from "./application-look.ts";
import { moveHandlers } from "./application-moves.ts";
import { encodeResult, isIdle, localTasks, stopOf, wishedOptions } from "./application-state.ts";
import type { Server } from "./host-process.ts";
import { Linking, type Way } from "./linking.ts";
import { decodeForwarded } from "./move-frames.ts";
import { Mover, type MoverWorld } from "./mover.ts";
import { OutputPipe } from "./output-pipe.ts";
import { Arrivals, joined, type Mail, PeerLinks } from "./peer-links.ts";
import type { RunOptions } from "./run.ts";
import { type Part, type PartProcess, runHere } from "./run-here.ts";

/** The world of an application process. */
export interface ApplicationEdge extends Pick<MoverWorld, "reached" | "availableBytes" | "dayMs" | "pages"> {
  /** Its number in its job. */
  readonly member: number;
  /** Links to the master, who may ask what `handlers` do. */
  master(handlers: Handlers): Promise<Rpc>;
  /** From now on other processes of the job can connect. @returns the address */
  listen(onLink: (link: Link) => void): Promise<string>;
  /** @throws UpvmError as LinkingWorld.connect */
  connect(to: JobPeer, way: Way): Promise<Link>;
  /** A linked module that this host has; undefined: it has not. */
  findModule(hash: string): Promise<Uint8Array | undefined>;
  /** Keeps one for the next process that needs it. Never fails. */
  keepModule(hash: string, wasm: Uint8Array): Promise<void>;
  after(ms: number, run: () => void): void;
  /** Milliseconds, of a clock that only goes forward. */
  nowMs(): number;
  readonly turns?: Part["turns"];
  /** The virtual machine's control store, by the link to the master. */
  readonly store: ControlStore;
}

/** What the master has said last. */
type Order = { readonly kind: "begin"; readonly members: readonly JobPeer[] } | { readonly kind: "stop" };

/** What the runtime needs while ULPs run. */
interface Running extends PartProcess {
  readonly mover: Mover;
  readonly arrivals: Arrivals;
}

/**
 * Runs the process's part of its job, to the end.
 *
 * @throws UpvmError what cannot be done, which the master has been told; or a bug of ours
 */
export async function runApplication(edge: ApplicationEdge): Promise<void> {
  await new Application(edge).run();
}

class Application {
  private readonly edge: ApplicationEdge;
  private readonly links: PeerLinks;
  private readonly linking: Linking;
  private readonly output: OutputPipe;
  private readonly interrupt = new AbortController();
  private rpc: Rpc | undefined;
  private running: Running | undefined;
  /** The master may ask for something as soon as it has told to begin. */
  private tellBegun: (running: Running) => void = () => {};
  private tellKnown = (): void => {};
  /** All others of the job know of this process. */
  private readonly known = new Promise<void>((done) => {
    this.tellKnown = done;
  });
  private readonly begun = new Promise<Running>((done) => {
    this.tellBegun = done;
  });
  /** Which plug-ins there are, as the master has told last: PLUGIN_BIT. */
  private plugins = 0;
  private order: (order: Order) => void = () => {};
  private readonly ordered = new Promise<Order>((go) => {
    this.order = go;
  });
  private stopped: JobStop | "done" | undefined;
  private ended: [number, number, number][] = [];
  /** SHA-256 of linked modules, hexadecimal, by rows of the program table. */
  private readonly hashes: (string | undefined)[] = [];
  /** Messages on their way to a link. */
  private leaving = 0;
  /** Who does not know yet that this process, which came late, is there. */
  private readonly greeting = new Set<number>();

  constructor(edge: ApplicationEdge) {
    this.edge = edge;
    this.links = new PeerLinks({
      library: () => this.running?.library,
      mail: (mail, times) => this.running?.mover.arrive(mail, times),
      late: (from, mail, move) => this.running?.mover.late(from, mail, move),
      state: (from, head) => this.running!.mover.state(from, head),
      frame: (from, frame) => this.frame(from, frame),
      lost: (member, why) => {
        this.running?.mover.lost(member);
        this.greeted(member);
        this.rpc?.tell("peerLost", { member, why });
      },
    });
    this.linking = new Linking({
      member: edge.member,
      connect: (to, way) => edge.connect(to, way),
      add: (member, link) => this.links.add(member, link),
    });
    this.output = new OutputPipe(async (pieces, bytes) => {
      // Nobody reads it any more if the master is gone.
      await this.rpc?.request("output", { pieces: [...pieces] }, bytes, 0).catch(() => {});
    });
  }

  async run(): Promise<void> {
    const { edge } = this;
    const address = await edge.listen((link) => this.linking.came(link));
    const rpc = await edge.master(this.handlers());
    this.rpc = rpc;
    void rpc.closed.then(() => this.stop("failed"));
    const spec = (await rpc.request("processHello", { address, abi: LINK_ABI }, undefined, LIMITS.jobStartMs))
      .body;
    const wasm = await this.module(spec.wish.hash);
    this.hashes[0] = spec.wish.hash;
    rpc.tell("processReady", {});
    const order = await this.ordered;
    if (order.kind === "stop") return;
    const routed = await this.linking.toAll(order.members, spec.wish.route ?? "auto");
    if (routed.length > 0) rpc.tell("linksRouted", { links: [...routed] });
    const result = await runHere(this.options(spec, wasm), this.part(spec));
    await this.output.flushed();
    await rpc.request("processResult", {}, encodeResult(result), 0);
  }

  /** The master's copy, unless this host has one. */
  private async module(hash: string): Promise<Uint8Array> {
    const found = await this.edge.findModule(hash);
    if (found !== undefined) return found;
    const { bytes } = await this.rpc!.request("module", { hash }, undefined, LIMITS.jobStartMs);
    await this.edge.keepModule(hash, bytes);
    return bytes;
  }

  private options({ wish, members }: JobSpec, module: Uint8Array): RunOptions {
    return {
      ...wishedOptions(wish),
      module,
      cores: members[this.edge.member]!.engines,
      output: (fd, bytes, tid) => this.output.write(fd, bytes, tid),
      signal: this.interrupt.signal,
    };
  }

  private part(spec: JobSpec): Part {
    const { member: own } = this.edge;
    const seats = seatsOf(spec);
    const tidBase = tidBaseOf(spec.job);
    return {
      elsewhere: (index) => spec.restart === true || seats[index]!.member !== own,
      place: (index) => seats[index]!.engine,
      engines: spec.members[own]!.engines,
      ...(this.edge.turns && { turns: this.edge.turns }),
      tidBase,
      machine: true,
      stays: true,
      begun: (process) => {
        const first = seats.map((seat, index) => [tidOf(index, tidBase), seat] as const);
        this.begin(process, first, spec);
        return this.server();
      },
      outgoing: () => this.sendOut(),
      away: (parcel) => this.running?.mover.away(parcel),
      exited: (index) => this.exited(index),
      ended: () => this.close(),
    };
  }

  private begin(
    process: PartProcess,
    first: Iterable<readonly [number, { member: number; engine: number }]>,
    { founders, life }: JobSpec,
  ): void {
    const { library } = process;
    const take = (mail: Mail): boolean => takeOutside(library, { ...mail, data: joined(mail) });
    const arrivals = new Arrivals(take, this.links, (ms, run) => this.edge.after(ms, run));
    const { members } = this.linking;
    const places = [...first].map(([tid, { member }]) => [tid, member] as const);
    const mover = new Mover(this.moverWorld(process, arrivals, life), members, places);
    const running = { ...process, mover, arrivals };
    this.running = running;
    process.host.setPlugins(this.plugins);
    this.tellBegun(running);
    this.linking.begin();
    if (this.edge.member >= founders) this.greet(members);
    if (this.greeting.size === 0) this.tellKnown();
    this.sendOut();
    if (this.stopped !== undefined) this.stop(this.stopped);
  }

  /** All others of the job have begun: until they know that this process is there, its ULPs' messages wait. */
  private greet(members: readonly number[]): void {
    if (members.length > 0) this.running?.mover.awaitOthers();
    for (const member of members) {
      this.greeting.add(member);
      this.links.send(member, { type: FRAME.ULP_CONFIGQ, a: 0, b: 0, c: 0, body: [] });
    }
  }

  /** A process knows of this one, or is gone. */
  private greeted(member: number): void {
    if (!this.greeting.delete(member) || this.greeting.size > 0) return;
    this.running?.mover.knownToOthers();
    this.tellKnown();
  }

  private moverWorld(process: PartProcess, arrivals: Arrivals, life: number): MoverWorld {
    const { edge, links, hashes } = this;
    return {
      ...{ member: edge.member, life, process, links, arrivals, hashes, store: edge.store },
      ...{ nowMs: () => edge.nowMs(), dayMs: () => edge.dayMs(), pages: edge.pages },
      after: (ms, run) => edge.after(ms, run),
      availableBytes: (wantedBytes) => edge.availableBytes(wantedBytes),
      reached: (stage) => edge.reached(stage),
      drain: () => this.sendOut(),
      locate: (tid) => void this.locate(tid),
      moved: (tid, move) => this.rpc?.tell("moved", { tid, move }),
      cutOff: (why) => this.cutOff(why),
    };
  }

  /** Only the master's control store knows whose a ULP is, and it cannot be asked: nobody may run it here. */
  private cutOff(why: string): void {
    this.rpc?.tell("processFailed", { code: "", facts: {}, text: why });
    this.stop("failed");
  }

  private sendOut(): void {
    const { running } = this;
    if (running === undefined) return;
    drainOutbox(running.library, (message) => running.mover.leave(this.mailOf(running, message)));
  }

  private mailOf({ library }: Running, message: Outgoing): Mail {
    this.leaving += 1;
    const release = (): void => {
      this.leaving -= 1;
      releaseOutgoing(library, message);
    };
    const keep = (): number => {
      this.leaving -= 1;
      return keepOutgoing(library, message);
    };
    return { ...message, release, keep };
  }

  private async locate(tid: number): Promise<void> {
    const found = await this.rpc?.request("locate", { tid }, undefined, 0).catch(() => undefined);
    const { running } = this;
    const member = found?.body.member ?? LOCATED.ended;
    // It may have come meanwhile.
    if (member === LOCATED.ended && running?.mover.where(tid) === undefined) this.outside(tid);
    else running?.mover.located(tid, member);
  }

  /** Requests of ULPs go to the master. */
  private server(): Server {
    return async (request) => {
      const { body, bytes } = encodeRequest(request);
      // If the master is gone, the process is about to end.
      await this.rpc?.request("ulpAsk", body, bytes, 0).catch(() => {});
    };
  }

  /** A ULP has ended: the others drop what is for it, and the master is told. */
  private exited(index: number): void {
    const { library } = this.running!;
    const ulp = ulpAt(library.w, index);
    const tid = library.w[ulp + ULP.tid]!;
    // What it has sent goes before the news of its end.
    this.sendOut();
    this.running!.mover.ended(tid);
    this.links.tell({ type: FRAME.ULP_EXIT, a: tid, b: 0, c: 0, body: [] });
    if (this.ended.length === 0) queueMicrotask(() => this.tellEnded());
    this.ended.push([tid, library.w[ulp + ULP.exitCode]!, library.w[ulp + ULP.killed]!]);
  }

  private tellEnded(): void {
    const ended = this.ended;
    this.ended = [];
    this.rpc?.tell("ulpsEnded", { ended });
  }

  /** Makes tasks that the master wants here. @returns for each 0 or an error's code */
  private async create(order: CreateOrder): Promise<number[]> {
    const running = await this.begun;
    const codes = await running.host.createOrdered(order);
    const location = { member: this.edge.member, move: 0 };
    order.tids.forEach((tid, i) => {
      if ((codes[i] ?? -1) >= 0) running.mover.created(tid, location);
    });
    return [...codes];
  }

  /** A frame of another process that is no message. */
  private frame(from: number, frame: Frame): void {
    const { running } = this;
    if (running === undefined) return;
    const { library, mover, host } = running;
    if (mover.frame(from, frame)) return;
    switch (frame.type) {
      case FRAME.ULP_EXIT:
        this.outside(frame.a | 0);
        break;
      case FRAME.ULP_ANSWER:
        this.answer(frame);
        break;
      case FRAME.ULP_SIGNAL:
        host.stop(frame.a | 0, frame.c);
        break;
      case FRAME.ULP_CONFIGQ: {
        mover.joined(from);
        const config = { member: this.edge.member, engines: library.process.engines, abi: LINK_ABI };
        const body = [new TextEncoder().encode(JSON.stringify(config))];
        this.links.send(from, { type: FRAME.ULP_CONFIG, a: library.w[HEAD.ulps]!, b: 0, c: 0, body });
        break;
      }
      case FRAME.ULP_CONFIG:
        this.greeted(from);
        break;
      case FRAME.ULP_STATUSQ: {
        const tid = frame.a | 0;
        const ulp = ulpOf(library.w, tid);
        const state = ulp === 0 ? 0 : library.w[ulp + ULP.state]!;
        this.links.send(from, {
          type: FRAME.ULP_STATUS,
          a: tid,
          b: mover.where(tid) ?? 0,
          c: state,
          body: [],
        });
        break;
      }
    }
  }

  /** The virtual machine's answer to a ULP that has come here since it asked. @throws ProtocolError */
  private answer({ c, body }: Frame): void {
    const bytes = body[0] ?? new Uint8Array(0);
    const asked = decodeForwarded(bytes.subarray(0, c));
    const { asker, answer } = decodeAnswer(asked, bytes.subarray(c));
    this.running?.host.answer(asker, answer);
  }

  /** Now, or as soon as it runs. */
  private readonly once = (act: (running: Running) => void): void =>
    void (this.running === undefined ? this.begun.then(act) : act(this.running));

  /** A ULP of another process has ended. */
  private outside(tid: number): void {
    const { library, mover } = this.running!;
    mover.ended(tid);
    const ulp = ulpOf(library.w, tid);
    if (ulp !== 0) endedOutside(library, library.w[ulp + ULP.index]!);
  }

  private stop(reason: JobStop | "done"): void {
    this.stopped = reason;
    this.order({ kind: "stop" });
    const { running } = this;
    if (reason === "interrupted") this.interrupt.abort();
    else if (running !== undefined) stopProcess(running.library, stopOf(reason));
  }

  /** The engines have stopped: nothing of the heap is used any more afterwards. */
  private async close(): Promise<void> {
    this.sendOut();
    this.links.close();
    const { running } = this;
    running?.mover.drop();
    for (let waited = 0; this.leaving > 0 && waited < LIMITS.linkCloseMs; waited += LIMITS.closeLookMs)
      await new Promise<void>((go) => this.edge.after(LIMITS.closeLookMs, go));
    if (running !== undefined)
      drainOutbox(running.library, (message) => releaseOutgoing(running.library, message));
  }

  /** Nothing happens here until a message comes from another process. */
  private isQuiet(): boolean {
    const { running } = this;
    return running !== undefined && this.isSettled() && isIdle(running.library);
  }

  /** All that has come is with its ULPs, and nothing is on its way out, now that the outbox is emptied. */
  private isSettled(): boolean {
    this.sendOut();
    const { running } = this;
    return running !== undefined && this.leaving === 0 && running.arrivals.idle && running.mover.idle;
  }

  /** What the master may ask. */
  private handlers(): Handlers {
    const told = { body: undefined };
    const host = () => this.running?.host;
    return {
      jobBegin: ({ members }) => {
        this.order({ kind: "begin", members });
        return told;
      },
      jobStop: ({ reason }) => {
        this.stop(reason);
        return told;
      },
      jobFinish: () => {
        this.stop("done");
        return told;
      },
      jobLost: ({ member }) => {
        this.linking.gone(member);
        this.once(({ mover }) => mover.lost(member).forEach((tid) => void this.outside(tid)));
        return told;
      },
      ...lookHandlers(this.begun),
      ...checkpointHandlers(this.begun, () => this.isSettled(), this.links, this.edge),
      jobKnown: async () => {
        await this.known;
        return { body: {} };
      },
      jobWave: () => ({ body: { idle: this.isQuiet(), ...this.links.counts() } }),
      jobTasks: () => ({
        body: { tasks: this.running === undefined ? [] : localTasks(this.running.library) },
      }),
      programLoad: async ({ row, name, hash }) => {
        const { library, threads, loader } = await this.begun;
        await loader.add(library, threads, row, name, await this.module(hash));
        this.hashes[row] = hash;
        return { body: {} };
      },
      ...moveHandlers(() => (this.greeting.size === 0 ? this.running?.mover : undefined)),
      ulpsGone: ({ tids }) => {
        this.once(() => tids.forEach((tid) => void this.outside(tid)));
        return told;
      },
      ulpAnswer: (body, bytes) => {
        const { asker, answer } = decodeAnswer(body, bytes);
        host()?.answer(asker, answer);
        return told;
      },
      ulpNotice: (notice, data) => {
        host()?.post({ ...notice, data });
        return told;
      },
      ulpsCreate: async (order) => ({ body: { codes: await this.create(order) } }),
      ulpsBegin: ({ tids }) => {
        for (const tid of tids) host()?.begin(tid);
        return told;
      },
      ulpStop: ({ tid, signum }) => {
        host()?.stop(tid, signum);
        return told;
      },
      plugins: ({ bits }) => {
        this.plugins = bits;
        host()?.setPlugins(bits);
        return told;
      },
    };
  }
}
