/** @file Blame as a person reads it, in a terminal of 80 columns. */
import { expect, it } from "vitest";
import type { Blame, GateShare, TaskBlame } from "../../../src/analysis/blame/blame.js";
import { headline } from "../../../src/analysis/blame/headline.js";
import { blamedRows, blameTable, blameTree } from "../../../src/cli/tables/blame-tables.js";

const share = (gate: string, misses: number, false_alarms: number): GateShare => ({
  ...{ gate, share: misses + false_alarms, misses, false_alarms },
  ...{ alone: misses + false_alarms, missed_rows: misses > 0 ? 3 : 0, false_alarm_rows: false_alarms > 0 ? 2 : 0 },
});
const task = (task_path: string, own_error: number, gates: readonly GateShare[]): TaskBlame => {
  const gap = gates.reduce((sum, one) => sum + one.share, 0);
  const truth = 1 - own_error;
  return {
    ...{ task_path, metric_name: "accuracy", num_samples: 100, method: "exact" },
    ...{ end_to_end: truth - gap, truth, gap, own_error, gates },
  };
};
const blame: Blame = {
  split: "test",
  tasks: [
    task("open", 0.02, []),
    task("locked", 0.1, [share("open", 0.031, 0.02)]),
    task("person.face.color", 0.25, [share("open", 0.02, 0.011), share("quiet", 0, 0)]),
    task("person.face.marks", 0, [share("open", 0.02, 0.011), share("quiet", 0, 0.05)]),
  ],
  gates: [
    { gate: "open", gain: 0.0371, tasks: 3 },
    { gate: "quiet", gain: 0.02, tasks: 2 },
  ],
};

it("the first gate is said in a sentence", () => {
  expect(headline(blame)).toBe("Making open perfect gains 3.7 points over the 3 tasks below it, on average.");
  expect(headline({ ...blame, gates: [{ gate: "open", gain: 0, tasks: 1 }] })).toContain("no gate gains anything");
});

it("the table fits 80 columns and leaves out gates without errors", () => {
  const text = blameTable(blame);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toMatch(/locked {2}│ 0\.8490 │ 0\.9000 │ 0\.0510 │/);
  expect(text.match(/quiet/g)).toHaveLength(1);
});

it("the tree hangs tasks under their gates, with what is lost to whom", () => {
  const nodes = [
    { path: "open", name: "open", parent: null },
    { path: "quiet", name: "quiet", parent: null },
    { path: "locked", name: "locked", parent: "open" },
    { path: "person.face.color", name: "color", parent: "open" },
    { path: "person.face.marks", name: "marks", parent: "quiet" },
  ];
  expect(blameTree(blame, nodes)).toBe(
    [
      "├── open  98.0 of 100, own errors 2.0",
      "│   ├── locked  84.9 of 100, own errors 10.0, open 5.1",
      "│   └── color  71.9 of 100, own errors 25.0, open 3.1",
      "└── quiet",
      "    └── marks  91.9 of 100, open 3.1, quiet 5.0",
    ].join("\n"),
  );
});

it("the rows behind a number are named, the first of them", () => {
  const rows = Array.from({ length: 10 }, (_, i) => ({
    ...{ task_path: "locked", gate: "open", error: "misses" as const, sample: `${i}.png` },
  }));
  const own = { task_path: "locked", gate: null, error: "own_error" as const, sample: "x.png", position: 4 };
  expect(blamedRows([own, ...rows]).split("\n")).toEqual([
    "locked: own errors (1)",
    "  x.png, token 4",
    "locked: open, misses (10)",
    ...Array.from({ length: 8 }, (_, i) => `  ${i}.png`),
    "  … and 2 more (all with --json)",
  ]);
});
