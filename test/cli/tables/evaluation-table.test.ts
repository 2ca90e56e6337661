/** @file The evaluation as a table: what a person sees of it. */
import { expect, test } from "vitest";
import { baselineTable, evaluationTable, groupTable } from "../../../src/cli/tables/tables.js";
import type { EvaluationRow } from "../../../src/tasks/evaluation.js";

const row = (task_path: string, metric_name: string, metric_res: number | null, more: Partial<EvaluationRow> = {}) =>
  ({ split: "test", task_path, metric_name, metric_res, num_samples: 1234, gates: "truth", ...more }) as const;

const PATH = "person_regression.face_regression.face_x1";
const METRIC = "mean_absolute_error_normalized";

test("what is no better than a constant is marked, within 80 columns", () => {
  const table = evaluationTable(
    [
      row("door_open", "accuracy", 0.798, { baseline: 0.8, beats_baseline: false }),
      row("door_open", "accuracy", 0.8, { gates: "predicted", num_samples: 7, baseline: 0.75, beats_baseline: true }),
      row("door_open", "recall", 0.9, { baseline: 1 }),
      row("door_open", "recall", 0.9, { gates: "predicted", num_samples: 7 }),
      row(PATH, METRIC, 0.0123, { baseline: 0.177, beats_baseline: true }),
      row(PATH, METRIC, null, { gates: "predicted", num_samples: 0 }),
    ],
    "test",
  );
  expect(table.split("\n").map((line) => line.length)).toSatisfy((widths: number[]) => Math.max(...widths) <= 80);
  expect(table).toMatchInlineSnapshot(`
    "┌──────────────────────────────────┬────────┬──────┬──────────┬────────┬───┐
    │ test                             │   true │    n │ constant │  pred. │ n │
    │                                  │  gates │      │          │  gates │   │
    ├──────────────────────────────────┴────────┴──────┴──────────┴────────┴───┤
    │ door_open                                                                │
    │   accuracy                       │ 0.7980 │ 1234 │ 0.8000 ! │ 0.8000 │ 7 │
    │   recall                         │ 0.9000 │ 1234 │ 1.0000   │ 0.9000 │ 7 │
    │ person_regression.face_regression.face_x1                                │
    │   mean_absolute_error_normalized │ 0.0123 │ 1234 │ 0.1770   │      – │ 0 │
    └──────────────────────────────────┴────────┴──────┴──────────┴────────┴───┘
    !: no better than a constant answer learnt on train: majority, median or share"
  `);
});

test("a run without baselines has no column for them, and no mark", () => {
  const table = evaluationTable([row("door_open", "accuracy", 0.798)], "test");
  expect(table).toMatchInlineSnapshot(`
    "┌────────────┬────────┬──────┐
    │ test       │   true │    n │
    │            │  gates │      │
    ├────────────┴────────┴──────┤
    │ door_open                  │
    │   accuracy │ 0.7980 │ 1234 │
    └────────────┴────────┴──────┘"
  `);
});

test("a group of runs shows mean and deviation, then what all say together, within 80 columns", () => {
  const group = (metric: string, mean: number, deviation: number | null, all: number, more: object = {}) => ({
    ...row(PATH, metric, all, more),
    ...{ mean, deviation, runs: 5 },
  });
  const table = groupTable(
    [
      group(METRIC, 0.1329, 0.0271, 0.1233, { baseline: 0.1223, beats_baseline: false }),
      group("mean_absolute_error", 40.00431, 2.683, 39.9999, { baseline: 41.5, beats_baseline: true }),
      group("loss", 0.5, 0.000088, 0.5),
      group("accuracy/x", 0.5, null, 0.5),
    ],
    "test",
  );
  expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(table).toMatchInlineSnapshot(`
    "┌──────────────────────────────────┬────────┬───────┬────────┬──────┬──────────┐
    │ test                             │   mean │     ± │ ensem- │    n │ constant │
    │                                  │        │       │    ble │      │          │
    ├──────────────────────────────────┴────────┴───────┴────────┴──────┴──────────┤
    │ person_regression.face_regression.face_x1                                    │
    │   mean_absolute_error_normalized │ 0.1329 │ 0.027 │ 0.1233 │ 1234 │ 0.1223 ! │
    │   mean_absolute_error            │ 40.004 │   2.7 │ 40.000 │ 1234 │ 41.500   │
    │   loss                           │ 0.5000 │ <.001 │ 0.5000 │ 1234 │          │
    └──────────────────────────────────┴────────┴───────┴────────┴──────┴──────────┘"
  `);
});

test("baselines are shown by task before any training", () => {
  const rows = (["train", "valid", "test"] as const).map((split) => ({
    ...{ split, task_path: "door_open", metric_name: "accuracy" },
    ...{ baseline: split === "valid" ? null : 0.75, num_samples: 4 },
  }));
  expect(baselineTable(rows)).toMatchInlineSnapshot(`
    "┌─────────────────┬───────┬───┬────────┬───┐
    │ constant answer │ valid │ n │   test │ n │
    ├─────────────────┴───────┴───┴────────┴───┤
    │ door_open                                │
    │   accuracy      │     – │ 4 │ 0.7500 │ 4 │
    └─────────────────┴───────┴───┴────────┴───┘"
  `);
});
