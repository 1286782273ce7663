/** `upvm migrate`: moves ULPs from host to host while they compute. */
import { EXIT } from "../../wire/errors.ts";
import { tidText } from "../../wire/pvm.ts";
import type { MigratedRow } from "../../wire/rpc-move.ts";
import { usage } from "../args.ts";
import { command } from "../command.ts";
import { interruptible } from "../interruptible.ts";
import { masterPvmd, withRpc } from "../vm.ts";

export const migrate = command({
  summary: "Move ULPs to another host while they compute",
  about: [
    "In any state: running, waiting for a message, asleep. Output, messages and results are as if it had not moved. What cannot be moved is told with the reason, and goes on where it is.",
    "Interrupting this command calls nothing off: what was asked for is done, and upvm ps says where ULPs are. A ULP stays where it is if it cannot be stopped within ten seconds, since a program without polls computes on its engine.",
    "Obtrusive is the time from the order until all of its state had left its host; migration the time until it went on there.",
  ],
  args: {
    what: {
      count: "many",
      help: "tids, such as t40002, as upvm ps lists them; the host that they go to comes last",
    },
  },
  flags: {
    "all-from": { kind: "text", value: "HOST", help: "all ULPs of this host" },
    json: { kind: "switch", help: "print what became of each as JSON" },
  },
  examples: [
    "upvm migrate t40002 host2",
    "upvm migrate t40002 t40005 host2",
    "upvm migrate --all-from host1 host2",
  ],
  exits: {
    0: "all have moved",
    1: "some have not, and why",
    2: "wrong usage",
    130: "interrupted: what was ordered goes on",
  },
  async run({ args, flags }, edge) {
    const to = args.what.at(-1);
    const words = args.what.slice(0, -1);
    const from = flags["all-from"];
    if (to === undefined || (words.length === 0 && from === undefined))
      throw usage("Cannot migrate without TID... HOST, or --all-from HOST HOST", "migrate");
    const other = words.find((word) => !/^t[0-9a-f]{1,8}$/i.test(word));
    if (other !== undefined) throw usage(`Cannot migrate ${other}: it is no tid, such as t40002`, "migrate");
    const tids = words.map((word) => Number.parseInt(word.slice(1), 16) | 0);
    const master = masterPvmd(await edge.vm(), "migrate");
    const ask = { tids, to, ...(from !== undefined && { from }) };
    const { body } = await withRpc(master, (rpc) =>
      interruptible(edge.interrupts(), rpc.request("migrate", ask, undefined, 0), {
        what: "tell what has moved",
        why: "; what was ordered goes on",
        hint: "upvm ps lists where ULPs are",
      }),
    );
    if (flags.json) edge.out(`${JSON.stringify(body.ulps.map(jsonOf))}\n`);
    else {
      if (body.ulps.length === 0) edge.err(`upvm: ${from} has no ULPs: nothing was moved\n`);
      for (const row of body.ulps)
        if (row.refused === undefined) edge.out(`${lineOf(row)}\n`);
        else edge.err(`upvm: Cannot migrate ${tidText(row.tid)} to ${row.to}: ${row.refused.why}\n`);
    }
    return body.ulps.every(({ refused }) => refused === undefined) ? EXIT.ok : EXIT.failed;
  },
});

function jsonOf({ tid, refused, ...row }: MigratedRow): Record<string, unknown> {
  return { tid: tidText(tid), ...row, ...(refused && { error: refused }) };
}

function lineOf({ tid, from, to, bytes, obtrusiveMs, migrationMs }: MigratedRow): string {
  const times = `obtrusive ${obtrusiveMs.toFixed(1)} ms, migration ${migrationMs.toFixed(1)} ms`;
  return `${tidText(tid)} moved from ${from} to ${to}: ${bytes} bytes, ${times}`;
}
