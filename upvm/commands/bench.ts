/** `upvm bench`: how fast everything is on this machine, beside its baselines. */
import { command } from "../command.ts";

export const bench = command({
  summary: "Measure switches, messages, programs and the link step on this machine",
  about: [
    "Each figure is the median of repeated runs, beside its baseline measured in the same run and the paper's own figure. bench/README.md says what is measured and how.",
  ],
  args: { names: { count: "many", help: "which measurements, by part of their name; all if none is given" } },
  flags: { json: { kind: "switch", help: "print the figures as JSON" } },
  examples: ["upvm bench", "upvm bench ring laplace", "upvm bench --json > figures.json"],
  exits: { 0: "measured", 1: "a measurement failed", 2: "wrong usage" },
  run: ({ args, flags }, edge) =>
    edge.runScript("bench/main", [...args.names, ...(flags.json ? ["--json"] : [])]),
});
