/** `upvm status`: this host's pvmd, and the hosts that it knows. */
import { EXIT } from "../../wire/errors.ts";
import { shownAddress } from "../addresses.ts";
import { command } from "../command.ts";
import type { Home } from "../home.ts";
import { hostJson, hostLines } from "../host-lines.ts";
import { localPvmd, type Status, withRpc } from "../vm.ts";

export const status = command({
  summary: "Show this host's pvmd and the virtual machine that it is in",
  about: ["Asks the pvmd of this home only: it answers also when others are not there."],
  args: {},
  flags: { json: { kind: "switch", help: "print it as JSON" } },
  examples: ["upvm status", "upvm status --json"],
  exits: { 0: "in service", 1: "no pvmd is in service, or it does not answer", 2: "wrong usage" },
  async run({ flags }, edge) {
    const vm = await edge.vm();
    const { body } = await withRpc(localPvmd(vm, "show the status"), (rpc) => rpc.request("status", {}));
    if (flags.json) edge.out(`${JSON.stringify(statusJson(body, vm.home))}\n`);
    else edge.out(`${text(body, vm.home).join("\n")}\n`);
    return EXIT.ok;
  },
});

/** What scripts rely on; more may be added. */
export function statusJson(found: Status, home: Home): Record<string, unknown> {
  const { host, pid, address, role, master, vm, version, hosts } = found;
  return {
    host,
    pid,
    address: shownAddress(address),
    keyFile: home.keyFile,
    home: home.folder,
    log: home.logFile,
    role,
    master,
    vm,
    version,
    hosts: hosts.map(hostJson),
  };
}

function text(found: Status, home: Home): string[] {
  const { host, pid, address, role, master, vm, hosts } = found;
  return [
    `${host} is in service: process ${pid}, at ${shownAddress(address)}`,
    `virtual machine ${vm}, ${role === "master" ? "of which it is the first host" : `whose first host is ${master}`}`,
    `key ${home.keyFile}, log ${home.logFile}`,
    "",
    ...hostLines(hosts),
  ];
}
