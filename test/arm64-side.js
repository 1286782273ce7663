/**
 * The other side of arm64.test.ts, as JavaScript: a process of another processor type takes a ULP from its image, lets it
 * compute until it has printed some lines, and gives it back as an image.
 *
 *     standard input:  linked module │ JSON { ulps, hash, lines, pace } │ image          each after its length, u32
 *     standard output: image │ JSON { arch, printed }
 *
 * Argument: folder of the compiled package, since compiling it takes an emulated processor ten times as long.
 */
import { Buffer } from "node:buffer";

const [, , folder] = process.argv;
const load = (path) => import(`${folder}/${path}.js`);

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const input = Buffer.concat(chunks);
let at = 0;
const part = () => {
  const bytes = input.readUInt32LE(at);
  at += 4 + bytes;
  return input.subarray(at - bytes, at);
};
const module = new Uint8Array(part());
const { ulps, hash, lines } = JSON.parse(part().toString());
const image = part();

const { runHere } = await load("upvm/run-here");
const { ownService } = await load("upvm/host-process");
const { Filling } = await load("runtime/migrate/filling");
const { readImage } = await load("runtime/migrate/restore");
const { imageOf } = await load("runtime/migrate/image");
const { stopProcess } = await load("runtime/scheduler/end");
const { linkInfo } = await load("runtime/link/link-info");
const { STOP } = await load("wire/layout");
const { tidBaseOf } = await load("wire/pvm");

const began = performance.now();
const nowMs = () => performance.now() - began;
const index = 0;
let printed = "";
let own;
let enough;
const printedEnough = new Promise((done) => {
  enough = done;
});
const run = runHere(
  {
    module,
    ulps,
    cores: 1,
    heapBytes: 64 << 20,
    output: (_, bytes) => {
      printed += Buffer.from(bytes).toString();
      if (printed.split("\n").length > lines) enough();
    },
  },
  {
    elsewhere: () => true,
    engines: 1,
    tidBase: tidBaseOf(1),
    stays: true,
    begun: (process) => {
      own = process;
      return ownService(process.host);
    },
    outgoing: () => {},
    ended: async () => {},
  },
);
while (own === undefined) await new Promise((done) => setTimeout(done, 1));
const { library, freezer } = own;
const filling = new Filling(
  readImage({
    library,
    programOf: (found) => (found === hash ? library.programs[0] : undefined),
    points: () => linkInfo(module).points,
    nowMs,
    grants: [],
  }),
);
filling.write(image);
freezer.admit(filling.end(), () => []);
await printedEnough;
const ulp = await freezer.freeze(index);
if (typeof ulp === "string") throw new Error(ulp);
const { pieces } = imageOf(library, ulp, { hash: Buffer.from(hash, "hex"), nowMs: nowMs(), grants: [] });
const back = Buffer.concat(pieces);
freezer.release(ulp);
stopProcess(library, STOP.done);
const { leaks } = await run;
if (leaks !== "") throw new Error(leaks);
for (const bytes of [back, Buffer.from(JSON.stringify({ arch: process.arch, printed }))]) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  process.stdout.write(length);
  process.stdout.write(bytes);
}
