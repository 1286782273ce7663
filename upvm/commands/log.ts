/** `upvm log`: what a pvmd had to say. */
import { EXIT } from "../../wire/errors.ts";
import { command } from "../command.ts";
import { masterPvmd, withRpc } from "../vm.ts";

export const log = command({
  summary: "Show the log of this host's pvmd, or of another host's",
  about: ["This host's log is read from its file: also when no pvmd is in service."],
  args: { host: { count: "optional", help: "a host of the virtual machine" } },
  flags: {
    lines: {
      kind: "number",
      short: "n",
      value: "N",
      min: 1,
      max: 100_000,
      whole: true,
      default: 100,
      help: "how many, the last ones",
    },
    json: { kind: "switch", help: "print them as a JSON list" },
  },
  examples: ["upvm log", "upvm log host2 -n 20"],
  exits: { 0: "shown", 1: "it cannot be read, or the host is not reached", 2: "wrong usage" },
  async run({ args, flags }, edge) {
    const vm = await edge.vm();
    const { host } = args;
    const { lines } = flags;
    const show = (text: string): number => {
      edge.out(flags.json ? `${JSON.stringify(text.split("\n").filter(Boolean))}\n` : text);
      return EXIT.ok;
    };
    if (host === undefined) return show(vm.log(lines));
    const master = masterPvmd(vm, `read the log of ${host}`);
    const { bytes } = await withRpc(master, (rpc) => rpc.request("log", { host, lines }));
    return show(new TextDecoder().decode(bytes));
  },
});
