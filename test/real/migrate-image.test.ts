/** Programs whose ULPs travel between two processes while they compute: what they print is what they print at home. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { TID_BASE } from "../../wire/pvm.ts";
import { linkedProgram, runLinked } from "../guest-run.ts";
import { journey } from "../journey.ts";

const ULPS = 3;

/** So many moves are to be seen. A busy machine may have few in one journey. */
const MOVES = 6;
const JOURNEYS = 20;

/**
 * Journeys with seeds from this one on, until there were moves enough.
 *
 * @param wanted  what each ULP prints
 * @param before  called before each journey
 */
async function journeys(
  options: Parameters<typeof journey>[0],
  wanted: readonly string[],
  before: () => void = () => {},
): Promise<void> {
  let moves = 0;
  for (let seed = options.seed; moves < MOVES; seed++) {
    assert.ok(seed < options.seed + JOURNEYS, `${moves} moves in ${JOURNEYS} journeys`);
    before();
    const moved = await journey({ ...options, seed });
    wanted.forEach((lines, index) => {
      assert.equal(moved.printed.get(TID_BASE + 1 + index)?.trim(), lines, `seed ${seed}, ULP ${index}`);
    });
    moves += moved.moves;
  }
}

/** Lines of each ULP, by tid. */
function byUlp(text: string): string[] {
  return Array.from({ length: ULPS }, (_, index) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${index} `) || line.startsWith(`${index}:`))
      .join("\n"),
  );
}

test("a C program goes on with the same bits, wherever it is: lists, tables, recursion, handlers, timers, half lines", async () => {
  const module = await linkedProgram("test/guests/journey.c");
  const still = await runLinked(module, { ulps: ULPS, cores: 2 });
  assert.ok(still.result.ok, still.err);
  const wanted = byUlp(still.text);
  assert.match(wanted[0]!, /handled/);
  await journeys({ module, ulps: ULPS, seed: 1, everyMs: 1 }, wanted);
});

test("so does one in AssemblyScript: objects, maps, strings, functions in tables", async () => {
  const module = await linkedProgram("test/guests/journey.ts");
  const still = await runLinked(module, { ulps: ULPS, cores: 2 });
  assert.ok(still.result.ok, still.err);
  const wanted = byUlp(still.text);
  await journeys({ module, ulps: ULPS, seed: 5, everyMs: 1 }, wanted);
});

test("posted sends and receives go with their ULP", async () => {
  const module = await linkedProgram("test/guests/requests.c");
  const still = await runLinked(module, { ulps: 3, cores: 2 });
  assert.ok(still.result.ok, still.err);
  // The first of them prints.
  await journeys({ module, ulps: 3, seed: 2, everyMs: 1 }, [still.text.trim()]);
});

test("open files go on at their offsets", async () => {
  const module = await linkedProgram("test/guests/journey.c");
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), "upvm-journey-")));
  const grants = (folder: string) => [{ host: folder, guest: "out", readOnly: false }];
  try {
    const still = await runLinked(module, { ulps: ULPS, args: ["files"], grants: grants(folders[0]!) });
    const wanted = byUlp(still.text);
    assert.match(wanted[2]!, /file/);
    const options = { module, ulps: ULPS, seed: 9, everyMs: 1, args: ["files"], grants: grants(folders[1]!) };
    await journeys(options, wanted, () => {
      for (const name of readdirSync(folders[1]!)) rmSync(join(folders[1]!, name));
    });
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
});

test.run();
