/** A virtual machine whose members are arrays: what each was asked to do, in order. */
import type { HostFacts, Notice } from "../pvmd/host.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import type { CreateOrder, Member } from "../pvmd/router.ts";
import { VirtualMachine } from "../pvmd/virtual-machine.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request, RequestBody, RequestKind } from "../wire/requests.ts";

export class FakeMember implements Member {
  readonly answers: (readonly [tid: number, value: number])[] = [];
  readonly notices: Notice[] = [];
  readonly stopped: number[] = [];
  readonly orders: CreateOrder[] = [];
  readonly begun: number[] = [];
  plugins = 0;
  /** What becomes of orders; all are made unless told. */
  creates: (order: CreateOrder) => Promise<readonly number[]> = async ({ tids }) => tids.map(() => 0);

  answer({ tid }: Request, { value }: Answer): void {
    this.answers.push([tid, value]);
  }
  post(notice: Notice): void {
    this.notices.push(notice);
  }
  stop(tid: number): void {
    this.stopped.push(tid);
  }
  setPlugins(bits: number): void {
    this.plugins = bits;
  }
  create(order: CreateOrder): Promise<readonly number[]> {
    this.orders.push(order);
    return this.creates(order);
  }
  begin(tids: readonly number[]): void {
    this.begun.push(...tids);
  }
}

export class FakeMachine {
  readonly store = new MemoryStore();
  readonly hosts: HostFacts[] = [];
  readonly machine: VirtualMachine;
  /** Makes a process of a job on a host; none can be unless told. */
  enlist: (job: number, host: number) => Promise<number | undefined> = async () => undefined;
  private serial = 0;

  /** @param hosts  engines of each */
  constructor(...hosts: readonly number[]) {
    hosts.forEach((engines, i) => {
      this.hosts.push({ tid: 0x40000 * (i + 1), name: `h${i + 1}`, machine: "x64", engines });
    });
    const table = {
      all: () => this.hosts,
      check: async () => [],
      add: async () => [],
      remove: async () => PVM_ERROR.PvmOk.code,
      clock: async () => undefined,
      halt: () => {},
    };
    this.machine = new VirtualMachine(this.store, table, {
      program: async (_, name) => (name === "none" ? PVM_ERROR.PvmNoFile.code : 0),
      enlist: (job, host) => this.enlist(job, host),
      input: async () => new Uint8Array(0),
      inputReady: async () => true,
    });
  }

  /** A job of one task on each of the first `members` hosts, with a member on each. */
  job(job: number, members: number): FakeMember[] {
    const made = Array.from({ length: members }, () => new FakeMember());
    this.machine.jobBegan({ job, name: `program${job}`, members: made.map((_, i) => i), env: [] });
    made.forEach((member, i) => {
      this.machine.memberJoined(job, i, 0x40000 * (i + 1), member);
    });
    return made;
  }

  ask<K extends RequestKind>(tid: number, kind: K, body: RequestBody<K>): Promise<void> {
    this.serial += 1;
    return this.machine.take({ kind, tid, serial: this.serial, body } as unknown as Request);
  }
}
