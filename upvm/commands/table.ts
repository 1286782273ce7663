/** All commands of `upvm`, in the order of the help. */
import { bench } from "./bench.ts";

export const COMMANDS = { bench } as const;
