/** `upvm halt`: ends the whole virtual machine. */
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { command } from "../command.ts";
import { masterPvmd, withRpc } from "../vm.ts";

export const halt = command({
  summary: "End the virtual machine: all its tasks, on all hosts, and all daemons",
  about: [
    "Returns when they are gone. A host that does not answer is not waited for: it ends by itself when it cannot reach the master.",
  ],
  args: {},
  flags: { json: { kind: "switch", help: "print what was done as JSON" } },
  examples: ["upvm halt"],
  exits: { 0: "all has ended", 1: "no pvmd is in service, or some did not answer", 2: "wrong usage" },
  async run({ flags }, edge) {
    const vm = await edge.vm();
    const { late, hosts } = await withRpc(masterPvmd(vm, "halt"), async (rpc) => {
      const { hosts } = (await rpc.request("hosts", {})).body;
      const { body } = await rpc.request("halt", {}, undefined, LIMITS.haltMs + LIMITS.rpcMs);
      await rpc.closed;
      return { late: body.late, hosts };
    });
    await vm.gone(hosts.filter(({ name }) => !late.includes(name)));
    const emptied = await vm.emptied();
    if (flags.json) edge.out(`${JSON.stringify({ halted: late.length === 0 && emptied, late })}\n`);
    if (late.length > 0)
      throw new UpvmError("NOT_HALTED", { why: `nothing was heard of ${late.join(", ")}` });
    if (!emptied) throw new UpvmError("NOT_HALTED", { why: `the pvmd in ${vm.home.folder} is still there` });
    return EXIT.ok;
  },
});
