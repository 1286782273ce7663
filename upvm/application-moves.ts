/**
 * Orders of the master to move this process's ULPs.
 *
 * Owns: nothing; how they move is mover.ts.
 */
import type { Handlers } from "../net/rpc.ts";
import { type Mover, NOT_YET } from "./mover.ts";

/** @param mover  undefined before the process has begun, and until all others know of it: the master asks again */
export function moveHandlers(mover: () => Mover | undefined): Handlers {
  return {
    moveOrder: async ({ tids, to }) => ({
      body: { outcomes: (await mover()?.order(tids, to)) ?? tids.map(() => NOT_YET) },
    }),
    moveOff: ({ tids, queued }) => {
      mover()?.callOff(tids, queued);
      return { body: undefined };
    },
  };
}
