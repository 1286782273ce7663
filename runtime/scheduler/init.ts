/**
 * Initialisation of a process: steps i–viii of the paper's 3.2.2, by name and in order.
 *
 * Owns: the order. Runs on the process's own thread; steps vii and viii end on the engines. Each step tells
 * what it decided, for `--dump` and the tests.
 */
import { UpvmError } from "../../wire/errors.ts";
import { HEAD } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { Library } from "./library.ts";
import { type Placement, place } from "./placement.ts";
import { type ProcessDescriptor, thisProcess, usable } from "./process-descriptor.ts";
import type { Program } from "./programs.ts";
import { reserveIndices, ucreate } from "./ulp.ts";

/** What the user asks for. */
export interface Plan {
  readonly program: Program;
  readonly ulps: number;
  readonly engines: number;
  readonly heapBytes: number;
  readonly place: Placement;
  /**
   * Says which ULPs are of other processes: those have a descriptor here and nothing else. None unless told.
   */
  readonly elsewhere?: (index: number) => boolean;
  /** HEAD.tidBase; that of job 1 unless told. */
  readonly tidBase?: number;
  /** HEAD.machine: the virtual machine has more than this process. */
  readonly machine?: boolean;
}

/** The engines of this process, to be started by who knows how: worker threads, or a test. */
export interface Starter {
  /** Makes the engines, with their handlers for stop, slices and moves (vii). */
  readonly prepare: (library: Library) => void;
  /** Lets them schedule their first runnable ULP (viii). */
  readonly start: () => void;
}

export interface StepDone {
  readonly step: "i" | "ii" | "iii" | "iv" | "v" | "vi" | "vii" | "viii";
  readonly name: string;
  readonly result: string;
}

/**
 * @returns the library descriptor, and what each step did
 * @throws UpvmError HEAP_FULL if the ULPs' descriptors do not fit
 */
export function initialise(plan: Plan, starter: Starter): { library: Library; trace: StepDone[] } {
  const trace: StepDone[] = [];
  const note = (step: StepDone["step"], name: string, result: string): void => {
    trace.push({ step, name, result });
  };
  const { engines, ulps } = plan;
  note("i", "choose processors", `1 process of ${engines} engines`);
  note("ii", "number of ULPs", `${ulps}`);
  const own = thisProcess(plan.heapBytes, engines);
  note("iii", "ranges available", describe(own));
  const common = usable([own]);
  if (typeof common === "string") throw new UpvmError("USAGE", { why: common, hint: "" });
  note("iv", "ranges usable by all processes", describe(common));
  const library = new Library(common);
  if (plan.tidBase !== undefined) library.w[HEAD.tidBase] = plan.tidBase;
  library.w[HEAD.machine] = plan.machine === true ? 1 : 0;
  const [table, pool] = [library.w[HEAD.ulpTableAt], library.w[HEAD.poolAt]];
  note("v", "space of the library", `ULP table at ${table}, pool at ${pool}`);
  note("vi", "create ULPs", createAll(library, plan));
  starter.prepare(library);
  note("vii", "handlers", `stop, slice and move: attention words of ${engines} engines`);
  starter.start();
  note("viii", "schedule", "the head of each run queue");
  return { library, trace };
}

function describe(p: ProcessDescriptor): string {
  return `${p.pages} pages for a ULP, heap of ${p.heapBytes} bytes, interface ${p.abi}, ${p.features.join(" ")}`;
}

/** Step vi: where (the allocation module), then the descriptors. Instances are made at the first dispatch. */
function createAll(library: Library, plan: Plan): string {
  const { program, ulps, engines, place: policy, heapBytes, elsewhere } = plan;
  library.programs[program.id] = program;
  const first = reserveIndices(library.w, ulps);
  const perEngine = new Array<number>(engines).fill(0);
  for (let i = 0; i < ulps; i++) {
    const outside = elsewhere?.(i) ?? false;
    const engine = outside ? engines : place(policy, i, ulps, engines);
    const ulp = ucreate(library, first + i, {
      program: program.id,
      engine,
      parentTid: PVM_ERROR.PvmNoParent.code,
      siblingFirst: first,
      siblingCount: ulps,
    });
    if (ulp === 0) throw new UpvmError("HEAP_FULL", { index: first + i, mb: heapBytes / 2 ** 20 });
    if (outside) Atomics.sub(library.w, HEAD.live, 1);
    else perEngine[engine]! += 1;
  }
  library.w[HEAD.firstUlps] = first + ulps;
  return perEngine.map((n, engine) => `${n} on engine ${engine}`).join(", ");
}
