/**
 * An application process: the ULPs of one job on one host (the paper's process with its library).
 *
 * Owns: the order of its life, and what passes between its runtime, the master (requests) and the other processes of the job
 * (peer-links.ts). Where ULPs are is member.ts; the run is run-here.ts; sockets and files are the edge's
 * (node-application.ts). It ends, and its ULPs with it, when its link to the master does.
 *
 *     hello ▶ its job ▶ program ▶ ready ▶ (all are) begin ▶ links ▶ run … ▶ finish or stop ▶ result
 */
import type { Frame, Link } from "../net/link.ts";
import type { Handlers, Rpc } from "../net/rpc.ts";
import type { CreateOrder } from "../pvmd/router.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import { drainOutbox, type Outgoing, releaseOutgoing } from "../runtime/scheduler/outbox.ts";
import { endedOutside, takeOutside } from "../runtime/scheduler/outside.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { type JobSpec, seatsOf } from "../wire/job.ts";
import { HEAD, LINK_ABI, STOP, ULP } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import { tidBaseOf, tidOf } from "../wire/pvm.ts";
import type { JobPeer, JobStop } from "../wire/rpc-job.ts";
import { decodeAnswer, encodeRequest } from "../wire/ulp-requests.ts";
import { isIdle, localTasks } from "./application-state.ts";
import type { Server } from "./host-process.ts";
import { Member, NOWHERE } from "./member.ts";
import { OutputPipe } from "./output-pipe.ts";
import { Arrivals, type Mail, PeerLinks } from "./peer-links.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { type Part, type PartProcess, runHere } from "./run-here.ts";

/** The world of an application process. */
export interface ApplicationEdge {
  /** Its number in its job. */
  readonly member: number;
  /** Links to the master, who may ask what `handlers` do. */
  master(handlers: Handlers): Promise<Rpc>;
  /** From now on other processes of the job can connect. @returns the address */
  listen(onLink: (link: Link) => void): Promise<string>;
  connect(address: string): Promise<Link>;
  /** A linked module that this host has; undefined: it has not. */
  findModule(hash: string): Promise<Uint8Array | undefined>;
  /** Keeps one for the next process that needs it. Never fails. */
  keepModule(hash: string, wasm: Uint8Array): Promise<void>;
  after(ms: number, run: () => void): void;
}

/** What the master has said last. */
type Order = { readonly kind: "begin"; readonly members: readonly JobPeer[] } | { readonly kind: "stop" };

/** What the runtime needs while ULPs run. */
interface Running extends PartProcess {
  readonly member: Member<Mail>;
  readonly arrivals: Arrivals;
}

/**
 * Runs the process's part of its job, to the end.
 *
 * @throws UpvmError what cannot be done, which the master has been told; or a bug of ours
 */
export async function runApplication(edge: ApplicationEdge): Promise<void> {
  const application = new Application(edge);
  await application.run();
}

class Application {
  private readonly edge: ApplicationEdge;
  private readonly links: PeerLinks;
  private readonly output: OutputPipe;
  private readonly interrupt = new AbortController();
  private rpc: Rpc | undefined;
  private running: Running | undefined;
  /** The master may ask for something as soon as it has told to begin. */
  private tellBegun: (running: Running) => void = () => {};
  private readonly begun = new Promise<Running>((done) => {
    this.tellBegun = done;
  });
  /** Which plug-ins there are, as the master has told last: PLUGIN_BIT. */
  private plugins = 0;
  /** Links that others have made, by member. */
  private readonly came = new Map<number, (link: Link) => void>();
  private readonly early = new Map<number, Link>();
  private order: (order: Order) => void = () => {};
  private readonly ordered = new Promise<Order>((go) => {
    this.order = go;
  });
  private stopped: JobStop | "done" | undefined;
  private ended: [number, number, number][] = [];
  /** Messages whose bytes are on their way to a link. */
  private leaving = 0;

  constructor(edge: ApplicationEdge) {
    this.edge = edge;
    this.links = new PeerLinks({
      mail: (mail, times) => this.running?.member.arrive(mail, times),
      frame: (from, frame) => this.frame(from, frame),
      lost: (member, why) => this.rpc?.tell("peerLost", { member, why }),
    });
    this.output = new OutputPipe(async (pieces, bytes) => {
      // Nobody reads it any more if the master is gone.
      await this.rpc?.request("output", { pieces: [...pieces] }, bytes, 0).catch(() => {});
    });
  }

  async run(): Promise<void> {
    const { edge } = this;
    const address = await edge.listen((link) => this.linked(link));
    const rpc = await edge.master(this.handlers());
    this.rpc = rpc;
    void rpc.closed.then(() => this.stop("failed"));
    const spec = (await rpc.request("processHello", { address, abi: LINK_ABI }, undefined, LIMITS.jobStartMs))
      .body;
    const wasm = await this.module(spec.wish.hash);
    rpc.tell("processReady", {});
    const order = await this.ordered;
    if (order.kind === "stop") return;
    await this.link(order.members);
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

  private linked(link: Link): void {
    const { member } = link.peer;
    if (member === undefined) {
      link.close();
      return;
    }
    const wanted = this.came.get(member);
    if (wanted !== undefined) wanted(link);
    // One that joins a job that runs connects to all that are there.
    else if (this.running !== undefined) this.links.add(member, link);
    else this.early.set(member, link);
  }

  /** A link to every other: the one with the higher number connects. They read from now on, and take frames later. */
  private async link(members: readonly JobPeer[]): Promise<void> {
    const { member: own } = this.edge;
    const made = members
      .filter(({ member }) => member !== own)
      .map(async ({ member, address }) => {
        const link = member < own ? await this.edge.connect(address) : await this.from(member);
        this.made.push([member, link]);
      });
    await Promise.all(made);
  }
  private readonly made: [number, Link][] = [];

  private from(member: number): Promise<Link> {
    const link = this.early.get(member);
    if (link !== undefined) return Promise.resolve(link);
    return new Promise((done) => this.came.set(member, done));
  }

  private options({ wish, members }: JobSpec, module: Uint8Array): RunOptions {
    const { name, ulps, args, env, grants, tag, handoff, framesBytes } = wish;
    return {
      module,
      name,
      ulps,
      args,
      env,
      grants,
      tag,
      handoff,
      framesBytes,
      cores: members[this.edge.member]!.engines,
      // Read at the command: a request as others.
      ...(wish.input && { input: NO_INPUT }),
      ...(wish.sliceMs !== undefined && { sliceMs: wish.sliceMs }),
      ...(wish.profileMs !== undefined && { profileMs: wish.profileMs }),
      ...(wish.heapBytes !== undefined && { heapBytes: wish.heapBytes }),
      ...(wish.memoryPages !== undefined && { memoryPages: wish.memoryPages }),
      ...(wish.shuffle !== undefined && { shuffle: wish.shuffle }),
      output: (fd, bytes, tid) => this.output.write(fd, bytes, tid),
      signal: this.interrupt.signal,
    };
  }

  private part(spec: JobSpec): Part {
    const { member: own } = this.edge;
    const seats = seatsOf(spec);
    const tidBase = tidBaseOf(spec.job);
    return {
      elsewhere: (index) => seats[index]!.member !== own,
      place: (index) => seats[index]!.engine,
      engines: spec.members[own]!.engines,
      tidBase,
      machine: true,
      stays: true,
      begun: (process) => {
        const first = seats.map((seat, index) => [tidOf(index, tidBase), seat] as const);
        this.begin(process, first);
        return this.server();
      },
      outgoing: () => this.sendOut(),
      exited: (index) => this.exited(index),
      ended: () => this.close(),
    };
  }

  private begin(
    process: PartProcess,
    first: Iterable<readonly [number, { member: number; engine: number }]>,
  ): void {
    const { library } = process;
    const take = (mail: Mail): boolean => takeOutside(library, { ...mail, data: joined(mail) });
    const arrivals = new Arrivals(take, this.links, (ms, run) => this.edge.after(ms, run));
    const member = new Member<Mail>(this.edge.member, first, {
      deliver: (mail) => arrivals.deliver(mail),
      send: (to, mail, times) => this.links.mail(to, mail, times),
      drop: (mail) => mail.release(),
      ask: (tid) => void this.locate(tid),
    });
    const running = { ...process, member, arrivals };
    this.running = running;
    process.host.setPlugins(this.plugins);
    this.tellBegun(running);
    for (const [at, link] of [...this.made, ...this.early]) if (!this.links.has(at)) this.links.add(at, link);
    this.sendOut();
    if (this.stopped !== undefined) this.stop(this.stopped);
  }

  private sendOut(): void {
    const { running } = this;
    if (running === undefined) return;
    drainOutbox(running.library, (message) => running.member.leave(this.mailOf(running, message)));
  }

  private mailOf({ library }: Running, message: Outgoing): Mail {
    this.leaving += 1;
    const release = (): void => {
      this.leaving -= 1;
      releaseOutgoing(library, message);
    };
    return { ...message, release };
  }

  private async locate(tid: number): Promise<void> {
    const found = await this.rpc?.request("locate", { tid }, undefined, 0).catch(() => undefined);
    const member = found?.body.member ?? NOWHERE;
    // It may have come meanwhile.
    if (member === NOWHERE && this.running?.member.where(tid) === undefined) this.outside(tid);
    else this.running?.member.located(tid, member);
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
    order.tids.forEach((tid, i) => {
      if ((codes[i] ?? -1) >= 0) running.member.place(tid, running.member.index);
    });
    return [...codes];
  }

  /** A frame of another process that is no message. */
  private frame(from: number, frame: Frame): void {
    const { running } = this;
    if (running === undefined) return;
    const { library, member, host } = running;
    switch (frame.type) {
      case FRAME.ULP_EXIT:
        this.outside(frame.a | 0);
        break;
      case FRAME.ULP_SIGNAL:
        host.stop(frame.a | 0, frame.c);
        break;
      case FRAME.ULP_CONFIGQ: {
        const config = { member: member.index, engines: library.process.engines, abi: LINK_ABI };
        const body = [new TextEncoder().encode(JSON.stringify(config))];
        this.links.send(from, { type: FRAME.ULP_CONFIG, a: library.w[HEAD.ulps]!, b: 0, c: 0, body });
        break;
      }
      case FRAME.ULP_STATUSQ: {
        const tid = frame.a | 0;
        const ulp = ulpOf(library.w, tid);
        const state = ulp === 0 ? 0 : library.w[ulp + ULP.state]!;
        this.links.send(from, {
          type: FRAME.ULP_STATUS,
          a: tid,
          b: member.where(tid) ?? 0,
          c: state,
          body: [],
        });
        break;
      }
    }
  }

  /** A ULP of another process has ended. */
  private outside(tid: number): void {
    const { library, member } = this.running!;
    member.place(tid, NOWHERE);
    const ulp = ulpOf(library.w, tid);
    if (ulp !== 0) endedOutside(library, library.w[ulp + ULP.index]!);
  }

  private stop(reason: JobStop | "done"): void {
    this.stopped = reason;
    this.order({ kind: "stop" });
    const { running } = this;
    if (reason === "interrupted") this.interrupt.abort();
    else if (running !== undefined) stopProcess(running.library, STOP[reason]);
  }

  /** The engines have stopped: nothing of the heap is used any more afterwards. */
  private async close(): Promise<void> {
    this.sendOut();
    this.links.close();
    const { running } = this;
    for (let waited = 0; this.leaving > 0 && waited < LIMITS.linkCloseMs; waited += CLOSE_LOOK_MS)
      await new Promise<void>((go) => this.edge.after(CLOSE_LOOK_MS, go));
    if (running !== undefined)
      drainOutbox(running.library, (message) => releaseOutgoing(running.library, message));
  }

  /** Nothing happens here until a message comes from another process. */
  private isQuiet(): boolean {
    const { running } = this;
    if (running === undefined || this.leaving > 0) return false;
    return running.arrivals.idle && !running.member.waits && isIdle(running.library);
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
        for (const tid of this.running?.member.lost(member) ?? []) this.outside(tid);
        return told;
      },
      jobWave: () => ({ body: { idle: this.isQuiet(), ...this.links.counts() } }),
      jobTasks: () => ({
        body: { tasks: this.running === undefined ? [] : localTasks(this.running.library) },
      }),
      programLoad: async ({ row, name, hash }) => {
        const { library, threads, loader } = await this.begun;
        await loader.add(library, threads, row, name, await this.module(hash));
        return { body: {} };
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

const CLOSE_LOOK_MS = 5;

/** The first ULP may ask for input. */
const NO_INPUT = { read: async () => new Uint8Array(0), ready: async () => true };

function joined({ bytes, pieces }: Mail): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const data = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}

function encodeResult(result: RunResult): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(result));
}
