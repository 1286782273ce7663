/**
 * The virtual machine's way to an application process: what the router (router.ts) passes on becomes requests to it.
 *
 * Owns: that the jobs' state knows of tasks before they are made, and what came of it: a job does not end meanwhile.
 */
import type { Rpc } from "../net/rpc.ts";
import { DAEMON_TID } from "../wire/pvm.ts";
import { encodeAnswer } from "../wire/ulp-requests.ts";
import type { JobEvent } from "./jobs.ts";
import type { Member } from "./router.ts";

/** @param step  tells the jobs' state */
export function memberWays(rpc: Rpc, job: number, member: number, step: (event: JobEvent) => void): Member {
  return {
    answer: (request, answer) => {
      const { body, bytes } = encodeAnswer(request, answer);
      rpc.tell("ulpAnswer", body, bytes);
    },
    post: ({ to, tag, context = 0, src = DAEMON_TID, wid = 0, data }) =>
      rpc.tell("ulpNotice", { to, tag, context, src, wid }, data),
    stop: (tid, signum) => rpc.tell("ulpStop", { tid, signum }),
    setPlugins: (bits) => rpc.tell("plugins", { bits }),
    create: async ({ args, env, options, tids, ...order }) => {
      step({ kind: "making", job, count: tids.length });
      let codes: readonly number[] = [];
      try {
        const asked = { ...order, tids: [...tids], args: [...args], env: [...env], options: [...options] };
        ({ codes } = (await rpc.request("ulpsCreate", asked, undefined, 0)).body);
      } finally {
        const made = tids.filter((_, i) => (codes[i] ?? -1) >= 0);
        step({
          kind: "made",
          job,
          count: tids.length,
          tids: made.map((tid) => [tid, member] as const),
        });
      }
      return codes;
    },
    begin: (tids) => rpc.tell("ulpsBegin", { tids: [...tids] }),
  };
}
