/** Samples of a profile: counted by ULP and place, limited, told in order. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { profileLines, Samples, ulpProfiles } from "../../upvm/profile.ts";
import { LIMITS } from "../../wire/limits.ts";

const stack = (func: number): string => `Error\n    at f${func} (wasm://wasm/ab:wasm-function[${func}]:0x10)`;
const ulp = (index: number) => ({ tid: 0x40001 + index, index, program: 0 });

test("samples of one ULP at one place are counted together, the most frequent first", () => {
  const samples = new Samples();
  for (const [index, func] of [
    [0, 1],
    [0, 2],
    [0, 2],
    [1, 2],
  ] as const)
    samples.add(index, stack(func));
  const profiles = ulpProfiles(samples.rows(), [ulp(0), ulp(1), ulp(2)], [new Uint8Array()]);
  assert.deepEqual(profileLines(profiles, 5), [
    "profile: 4 samples of computing ULPs, one every 5 ms on each engine",
    "  ULP 0 (t40001): 3 samples",
    "     66.7 %  f2",
    "     33.3 %  f1",
    "  ULP 1 (t40002): 1 sample",
    "    100.0 %  f2",
  ]);
});

test("beyond LIMITS.profilePlaces a sample still counts for its ULP", () => {
  const samples = new Samples();
  for (let func = 0; func < LIMITS.profilePlaces + 5; func++) samples.add(0, stack(func));
  const [profile] = ulpProfiles(samples.rows(), [ulp(0)], [new Uint8Array()]);
  assert.equal(profile?.samples, LIMITS.profilePlaces + 5);
  assert.equal(profile?.places[0]?.func, "elsewhere");
  assert.equal(profile?.places[0]?.samples, 5);
});

test.run();
