/** The parts of a pvmd (pvmd/pvmd.ts): what it serves besides hosts. */
import type { MakePart } from "../pvmd/pvmd.ts";

import { storePart } from "../pvmd/store-part.ts";
import { jobsPart } from "./node-jobs-part.ts";

export const PARTS: readonly MakePart[] = [storePart, jobsPart];
