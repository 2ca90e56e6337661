/** @file The label report: counts by hand, and a warning for each thing that labels cannot teach. */
import { describe, expect, it } from "vitest";
import { labelReport } from "../../src/analysis/index.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, boundedRegression, classification, type Labels, multilabel } from "../../src/tasks/index.js";

const NO = Number.NaN;
const labels = (...answers: number[]): Labels => ({ answers: Float32Array.from(answers), unitScale: null });
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("the label report of a gate and a gated task", () => {
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks: { open: binary(), width: boundedRegression({ max: 10 }) } }).flow(
      "main",
      (flow, x, out) => {
        out.add(flow.open(x.f));
        out.add(flow.width(x.f).given(out.open));
      },
    ),
    "main",
  );
  const report = labelReport(
    graph,
    // open, open, closed though measured, unknown though measured, closed, unknown | open
    [labels(1, 1, 0, NO, 0, NO, 1), labels(3, NO, 4, 5, NO, NO, 6)],
    { train: range(0, 6), valid: [6], test: [] },
  );

  it("counts rows that are labelled, active, used, wasted and contradictory", () => {
    const counts = { rows: 6, labelled: 4, active: 6, used: 4, wasted: 0, contradictory: 0 };
    expect(report.rows).toEqual([
      { split: "train", task_path: "open", ...counts },
      {
        split: "train",
        task_path: "width",
        rows: 6,
        labelled: 3,
        active: 2,
        used: 1,
        wasted: 2,
        contradictory: 1,
      },
      { split: "valid", task_path: "open", rows: 1, labelled: 1, active: 1, used: 1, wasted: 0, contradictory: 0 },
      { split: "valid", task_path: "width", rows: 1, labelled: 1, active: 1, used: 1, wasted: 0, contradictory: 0 },
      { split: "test", task_path: "open", rows: 0, labelled: 0, active: 0, used: 0, wasted: 0, contradictory: 0 },
      { split: "test", task_path: "width", rows: 0, labelled: 0, active: 0, used: 0, wasted: 0, contradictory: 0 },
    ]);
  });

  it("counts per table where there are several, and repeats what was implied", () => {
    const given = [labels(1, 1, 0, NO), labels(3, NO, 4, 5)];
    const tables = [
      { table: "a.csv", rows: Int32Array.of(0, 1) },
      { table: "b.csv", rows: Int32Array.of(2, 3) },
    ];
    const implied = [{ task_path: "open", implied: 2 }];
    const splits = { train: range(0, 4), valid: [], test: [] };
    const both = labelReport(graph, given, splits, { tables, implied });
    expect(both.implied).toEqual(implied);
    expect(both.tables).toEqual([
      { table: "a.csv", task_path: "open", rows: 2, labelled: 2, active: 2, used: 2, wasted: 0, contradictory: 0 },
      { table: "a.csv", task_path: "width", rows: 2, labelled: 1, active: 2, used: 1, wasted: 0, contradictory: 0 },
      { table: "b.csv", task_path: "open", rows: 2, labelled: 1, active: 2, used: 1, wasted: 0, contradictory: 0 },
      { table: "b.csv", task_path: "width", rows: 2, labelled: 2, active: 0, used: 0, wasted: 2, contradictory: 1 },
    ]);
    expect(labelReport(graph, given, splits, { tables: tables.slice(0, 1) }).tables).toEqual([]);
  });

  it("warns of few rows and of labels that contradict each other", () => {
    expect(report.warnings).toEqual([
      { task_path: "open", level: "warning", message: "has only 4 usable rows in train; label more" },
      { task_path: "width", level: "warning", message: "has only 1 usable row in train; label more" },
      {
        task_path: "width",
        level: "warning",
        message:
          "1 of its labelled rows has a precondition that the labels say is false; they are not used, so correct either label",
      },
    ]);
  });

  it("reports tasks that train cannot teach as problems", () => {
    const problems = (open: Labels, width: Labels, train: number[]) =>
      labelReport(graph, [open, width], { train, valid: [], test: range(2, 4) })
        .warnings.filter(({ level }) => level === "problem")
        .map(({ task_path, message }) => `${task_path} ${message}`);
    expect(problems(labels(NO, NO, 1, 0), labels(NO, NO, 1, NO), [0, 1])).toEqual([
      "open has no labelled row in train; label some, or remove it from the flow",
      "width has no labelled row in train; label some, or remove it from the flow",
    ]);
    expect(problems(labels(NO, 0, 1, 0), labels(4, NO, 1, NO), [0, 1])).toEqual([
      "width is labelled in 1 row in train but active in none; label its gates there",
    ]);
    expect(problems(labels(0, 0, 0, 0), labels(4, 5, 6, 7), [0, 1])).toEqual([
      'width is active in no row of the table, so it can never be learnt: its precondition "open" is never true; label its gates where they are met, or correct what it is given in the flow "main"',
    ]);
  });
});

describe("questions that train answers always the same", () => {
  it("are named, label by label", () => {
    const graph = traceFlow(
      defineTasks({
        features: ["f"],
        tasks: {
          open: binary(),
          colour: classification({ classes: ["red", "green"] }),
          cells: multilabel({ labels: ["RBC", "WBC", "platelets"] }),
        },
      }).flow("main", (flow, x, out) => {
        out.add(flow.open(x.f));
        out.add(flow.colour(x.f));
        out.add(flow.cells(x.f));
      }),
      "main",
    );
    const rows = range(0, 12);
    const report = labelReport(
      graph,
      [
        labels(...rows.map(() => 0)),
        labels(...rows.map((row) => (row === 11 ? 0 : 1))),
        labels(...rows.flatMap((row) => [1, row % 2, row === 3 ? NO : 0])),
      ],
      // row 11 alone is red, and not in train
      { train: rows.slice(0, 11), valid: [11], test: [] },
    );
    expect(report.warnings.map(({ task_path, message }) => `${task_path} ${message}`)).toEqual([
      "open is false in every usable row in train",
      'colour is "green" in every usable row in train',
      'cells has the label "RBC" in every usable row in train',
      'cells has the label "platelets" in no usable row in train',
    ]);
  });
});
