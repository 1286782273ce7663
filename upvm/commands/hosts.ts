/** `upvm add` and `upvm delete`: hosts of the virtual machine. */
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { tidText } from "../../wire/pvm.ts";
import type { HostResult, Leaving } from "../../wire/rpc-hosts.ts";
import { usage } from "../args.ts";
import { command } from "../command.ts";
import { interruptible } from "../interruptible.ts";
import { masterOrStart, masterPvmd, withRpc } from "../vm.ts";

export const add = command({
  summary: "Add hosts to the virtual machine: start a pvmd on each, which joins",
  about: [
    "The master runs the hoster, ssh unless told, once for each host: HOSTER HOST upvm start --join … with the key on its standard input. It has no terminal: ssh must not need a password.",
    "The virtual machine must be reachable from there: start its first host with --listen. A host that is added listens at the address by which it reaches the first one, and with the same kind of link.",
  ],
  args: { hosts: { count: "many", help: "names of hosts, USER@HOST if need be" } },
  flags: {
    hoster: {
      kind: "text",
      value: "CMD",
      help: "what starts a command on a host: called as CMD HOST WORDS...",
      absent: "ssh",
    },
    remote: { kind: "text", value: "CMD", help: "what upvm is called there", absent: "upvm" },
    json: { kind: "switch", help: "print what became of each as JSON" },
  },
  examples: ["upvm add host2 host3", 'upvm add host2 --remote "npx upvm"'],
  exits: {
    0: "all were added",
    1: "some were not, and why",
    2: "wrong usage",
    130: "interrupted: what starts hosts goes on, and they may still join",
  },
  async run({ args, flags }, edge) {
    if (args.hosts.length === 0) throw usage("Cannot add without HOSTS: names of hosts", "add");
    const master = masterOrStart(await edge.vm(), (said) => edge.err(`upvm: ${said}`));
    const { hoster, remote } = flags;
    const ask = {
      hosts: [...args.hosts],
      ...(hoster !== undefined && { hoster }),
      ...(remote !== undefined && { remote }),
    };
    const waitMs = Math.ceil(args.hosts.length / LIMITS.hostersAtOnce) * LIMITS.hosterMs + LIMITS.rpcMs;
    const { body } = await withRpc(master, (rpc) =>
      interruptible(edge.interrupts(), rpc.request("addHosts", ask, undefined, waitMs), {
        what: `tell whether ${args.hosts.join(", ")} ${args.hosts.length === 1 ? "was" : "were"} added`,
        why: "; what starts hosts goes on, and they may still join",
        hint: "upvm conf lists the hosts, upvm delete HOST takes one away",
      }),
    );
    return each(body.hosts, "added", flags.json, edge);
  },
});

export const remove = command({
  summary: "Delete hosts from the virtual machine: their ULPs move to others, their daemons end",
  about: [
    "ULPs go on where they are moved to, as with upvm migrate: to hosts where their jobs have processes, or else may have. If one of them can go nowhere, the host stays, and why is told.",
    "The first host has the virtual machine's tables and stays; upvm halt ends it with all others.",
  ],
  args: { hosts: { count: "many", help: "names of hosts, as upvm conf lists them" } },
  flags: {
    kill: { kind: "switch", help: "move nothing: end what runs there, as pvm_delhosts does" },
    json: { kind: "switch", help: "print what became of each as JSON" },
  },
  examples: ["upvm delete host2", "upvm delete host2 --kill"],
  exits: { 0: "all were deleted", 1: "some were not, and why", 2: "wrong usage" },
  async run({ args, flags }, edge) {
    if (args.hosts.length === 0) throw usage("Cannot delete without HOSTS: names of hosts", "delete");
    const vm = await edge.vm();
    const tasks: Leaving = flags.kill ? "end" : "move";
    const ask = { hosts: [...args.hosts], tasks };
    const body = await withRpc(masterPvmd(vm, "delete hosts"), async (rpc) => {
      const before = (await rpc.request("hosts", {})).body.hosts;
      const { body } = await rpc.request("deleteHosts", ask, undefined, 0);
      const done = body.hosts.flatMap(({ host, error }) => (error === undefined ? [host] : []));
      await vm.gone(before.filter(({ name }) => done.includes(name)));
      return body;
    });
    return each(body.hosts, "deleted", flags.json, edge);
  },
});

function each(
  results: readonly HostResult[],
  done: string,
  json: boolean,
  edge: { out(text: string): void },
): number {
  const bad = results.filter(({ error }) => error !== undefined);
  if (json) {
    const hosts = results.map(({ moved, ...result }) => {
      return { ...result, ...(moved && { moved: moved.map(({ tid, to }) => ({ tid: tidText(tid), to })) }) };
    });
    edge.out(`${JSON.stringify({ hosts })}\n`);
    return bad.length === 0 ? EXIT.ok : EXIT.failed;
  }
  for (const { host, error, moved = [] } of results) {
    for (const { tid, to } of moved) edge.out(`${tidText(tid)} moved from ${host} to ${to}\n`);
    if (error === undefined) edge.out(`${host} was ${done}\n`);
  }
  if (bad.length === 0) return EXIT.ok;
  const why = bad.map(({ host, error }) => `${host}: ${error}`).join("\n  ");
  throw new UpvmError("HOSTS_REFUSED", { done, why });
}
