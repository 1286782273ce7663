/** Medians, sheets and their text: what the benchmarks make of measured numbers. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { measured, type Report, SheetBuilder, scaled, together } from "../../bench/figures.ts";
import { hexBatches, outputOf } from "../../bench/output.ts";
import { digits, sheetText, withTables } from "../../bench/text.ts";

test("the median of an even number of values lies between the middle two", () => {
  assert.deepEqual(measured([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4, batches: 4 });
  assert.deepEqual(measured([9, 1, 5]), { median: 5, min: 1, max: 9, batches: 3 });
  assert.throws(() => measured([]));
});

test("runs by turns are put together by the median of their medians", () => {
  const parts = [measured([1, 2, 3]), measured([10, 20, 30]), measured([4, 5, 6])];
  assert.deepEqual(together(parts), { median: 5, min: 1, max: 30, batches: 9 });
  assert.deepEqual(scaled(measured([1, 2, 3]), 10), { median: 20, min: 10, max: 30, batches: 3 });
});

test("a program's figures and sums are read, and nothing else that it prints", () => {
  const { figures, sums } = outputOf(
    "hello\n= 24 7.5 7 9.25 9\nsum 24 616400.162849\n= broken 1\n== 3 1 1 1 1\n",
  );
  assert.deepEqual([...figures], [["24", { median: 7.5, min: 7, max: 9.25, batches: 9 }]]);
  assert.deepEqual([...sums], [["24", "616400.162849"]]);
});

test("hex batches lose their first third", () => {
  const lines = [100, 50, 16, 10, 12, 11].map((value) => value.toString(16).padStart(16, "0"));
  assert.deepEqual(hexBatches(`noise\n${lines.join("\n")}\n`), {
    median: 11.5,
    min: 10,
    max: 16,
    batches: 4,
  });
});

test("numbers are shown with three digits that count", () => {
  const shown = [0, 0.01234, 0.5, 4.5678, 78.96, 1234.5, -2.345].map(digits);
  assert.deepEqual(shown, ["0", "0.0123", "0.500", "4.57", "79.0", "1235", "-2.35"]);
});

function sheet() {
  const builder = new SheetBuilder({ name: "ring", title: "Ring", unit: "µs", rowHead: "VPs" });
  builder.add(2, "upvm", measured([1]));
  builder.add(24, "upvm", measured([9]));
  builder.add(24, "PVM", measured([1300]));
  builder.add(24, "none", undefined);
  builder.aim("24 VPs", "less", 8, "µs", builder.median(24, "upvm"));
  builder.aim("faster than PVM", "more", 20, "", 144);
  builder.aim("1000 VPs", "less", 400, "µs", builder.median(1000, "upvm"));
  return builder.done();
}

test("a sheet has its rows and columns in order, and says which aims are missed", () => {
  const { rows, columns, aims, notes } = sheet();
  assert.deepEqual(
    [rows, columns],
    [
      ["2", "24"],
      ["upvm", "PVM"],
    ],
  );
  assert.deepEqual(
    aims.map(({ met }) => met),
    [false, true],
  );
  assert.deepEqual(notes, ["1000 VPs: not measured"]);
});

test("a sheet as text", () => {
  const expected = [
    "Ring (µs)",
    "  VPs  upvm   PVM",
    "  2    1.00     –",
    "  24   9.00  1300",
    "  MISSED: 24 VPs: 9.00 µs, at most 8.00 µs",
    "  met: faster than PVM: 144, at least 20.0",
    "  1000 VPs: not measured",
    "",
  ];
  assert.equal(sheetText(sheet(), false), expected.join("\n"));
});

test("the report's tables are replaced between their marks, what people wrote stays", () => {
  const machine = { cpu: "A", cores: 2, memoryGb: 8, os: "Linux 6", node: "26.0.0", upvm: "0.1.0" };
  const other = { ...sheet(), name: "absent" };
  const report: Report = { date: "2026-11-22", machine, loadBefore: 0.25, sheets: [sheet(), other] };
  const document =
    "# Title\n<!-- machine -->\nold\n<!-- /machine -->\nwhy\n<!-- ring -->\nold\n<!-- /ring -->\nend\n";
  const { text, missing } = withTables(document, report);
  assert.deepEqual(missing, ["absent"]);
  assert.ok(
    !text.includes("old") && text.includes("\nwhy\n") && text.endsWith("<!-- /ring -->\nend\n"),
    text,
  );
  assert.ok(text.includes("| 24 | 9.00 | 1300 |"), text);
  assert.ok(
    text.includes(
      "2026-11-22: A, 2 cores, 8.00 GB, Linux 6, Node 26.0.0, upvm 0.1.0; load before the run 0.25.",
    ),
  );
  assert.equal(withTables(text, report).text, text, "a second time changes nothing");
});

test.run();
