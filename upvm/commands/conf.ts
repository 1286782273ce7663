/** `upvm conf`: the hosts of the virtual machine. */
import { EXIT } from "../../wire/errors.ts";
import { command } from "../command.ts";
import { hostJson, hostLines } from "../host-lines.ts";
import { masterOrStart, withRpc } from "../vm.ts";

export const conf = command({
  summary: "List the hosts of the virtual machine",
  about: ["Asks the master. If no pvmd is in service in this home, one is started, as PVM's console does."],
  args: {},
  flags: { json: { kind: "switch", help: "print them as JSON" } },
  examples: ["upvm conf", "upvm conf --json"],
  exits: { 0: "listed", 1: "the virtual machine does not answer", 2: "wrong usage" },
  async run({ flags }, edge) {
    const master = masterOrStart(await edge.vm(), (said) => edge.err(`upvm: ${said}`));
    const { body } = await withRpc(master, (rpc) => rpc.request("hosts", {}));
    if (flags.json) edge.out(`${JSON.stringify({ hosts: body.hosts.map(hostJson) })}\n`);
    else edge.out(`${hostLines(body.hosts).join("\n")}\n`);
    return EXIT.ok;
  },
});
