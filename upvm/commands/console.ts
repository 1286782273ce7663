/** `upvm console`: PVM's console. */
import { EXIT } from "../../wire/errors.ts";
import { command } from "../command.ts";
import { Console } from "../console.ts";
import { masterOrStart, withRpc } from "../vm.ts";

export const consoleCommand = command({
  summary: "Talk to the virtual machine line by line, with the verbs of PVM's console",
  about: [
    "help lists the verbs. Lines are typed, with history and completion, or come by a pipe: then what spawn -> started is waited for at the end.",
    "If no pvmd is in service in this home, one is started. quit leaves it in service, halt ends it.",
  ],
  args: {},
  flags: {},
  examples: ["upvm console", "echo 'spawn -4 -> ring.wasm' | upvm console"],
  exits: {
    0: "left, or halted",
    1: "the virtual machine is gone, or (lines of a pipe) something was not done, or what spawn -> started has failed",
    2: "wrong usage",
  },
  async run(_given, edge) {
    const vm = await edge.vm();
    const master = masterOrStart(vm, (said) => edge.err(`upvm: ${said}`));
    return await withRpc(master, async (rpc) => {
      const console = new Console(rpc, {
        out: (text) => edge.out(text),
        version: edge.version,
        spawn: (what, hosts, env) => vm.spawn(what, hosts, env),
      });
      const lines = edge.lines({
        prompt: "upvm> ",
        historyFile: vm.home.historyFile,
        complete: (line) => console.completions(line),
      });
      await lines.each(async (line) => {
        await console.line(line);
        return console.over !== undefined || rpc.link.end !== undefined;
      });
      const told = !lines.typed && console.over === undefined;
      if (told) await Promise.all(console.running);
      if (console.over === "halted") {
        await rpc.closed;
        await vm.emptied();
      } else if (rpc.link.end !== undefined) {
        edge.err(`upvm: the virtual machine is gone: ${rpc.link.end.text}\n`);
        return EXIT.failed;
      } else if (lines.typed) {
        const here = console.running.size;
        if (here > 0)
          edge.out(`${here === 1 ? "a job goes" : `${here} jobs go`} on, and what it prints comes here\n`);
        edge.out("the virtual machine goes on; upvm halt ends it\n");
      }
      return console.failed && !lines.typed ? EXIT.failed : EXIT.ok;
    });
  },
});
