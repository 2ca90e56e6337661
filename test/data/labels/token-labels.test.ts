/** @file Lists of labels, one per token: read from CSV and JSON, cut off with their sequences, refused with the place. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labelReport } from "../../../src/analysis/label-report.js";
import { withImpliedLabels } from "../../../src/data/labels/implied-labels.js";
import { idCount, tokens } from "../../../src/data/inputs/inputs.js";
import { loadDataset, loadLabels } from "../../../src/data/load.js";
import { DataError } from "../../../src/errors.js";
import { defineTasks } from "../../../src/flow/define.js";
import { offsetsOf } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel } from "../../../src/tasks/index.js";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "token-labels-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const graph = traceFlow(
  defineTasks({
    features: ["words", "row"],
    tasks: {
      polite: binary(),
      part: classification({ classes: ["noun", "verb"], per: "token" }),
      marks: multilabel({ labels: ["x", "y"], per: "token" }),
      weight: boundedRegression({ max: 10, per: "token" }),
    },
  }).flow("main", (flow, x, out) => {
    out.add(flow.polite(x.row));
    out.add(flow.part(x.words).given(out.polite));
    out.add(flow.marks(x.words));
    out.add(flow.weight(x.words));
  }),
  "main",
);
const text = tokens({ column: "text", vocabulary: ["a", "b", "c"], maxLength: 3 });

function load(name: string, content: string) {
  writeFileSync(join(dir, name), content);
  const split = { train: 1, valid: 0, test: 0, seed: 1 };
  const options = { graph, inputs: { text }, projectDir: dir, table: name, split, onBadImage: "error" as const };
  return loadDataset({ ...options, cacheDir: join(dir, "cache") });
}

const SAME = [
  { text: "a b", polite: 1, part: ["noun", null], marks: [["x"], []], weight: [1, 2.5] },
  // the last token is cut off, and so are its labels
  { text: "a b c a", polite: 0, part: ["noun", "verb", "noun", "verb"], marks: null, weight: [1, 2, 3, 4] },
  { text: "", polite: 1, part: [], marks: [], weight: null },
  { text: "c", polite: 1, part: [1], marks: [["x", "y"]], weight: [null] },
];
const csvCell = (value: unknown) =>
  value === null ? "" : `"${(typeof value === "string" ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;

describe("labels per token", () => {
  it.each([
    ["words.jsonl", SAME.map((row) => JSON.stringify(row)).join("\n")],
    [
      "words.csv",
      ["text,polite,part,marks,weight", ...SAME.map((row) => Object.values(row).map(csvCell).join(","))].join("\n"),
    ],
  ])("of %s lie position by position, cut off with their sequences", async (name, content) => {
    const dataset = await load(name, `${content}\n`);
    const [nan, answers] = [Number.NaN, dataset.labels.map((labels) => [...labels.answers])];
    expect([...(dataset.offsets ?? [])]).toEqual([0, 2, 5, 5, 6]);
    expect(answers).toEqual([
      [1, 0, 1, 1],
      [0, nan, 0, 1, 0, 1],
      [1, 0, 0, 0, nan, nan, nan, nan, nan, nan, 1, 1],
      [1, 2.5, 1, 2, 3, nan],
    ]);
    dataset.close();
  });

  it("are counted by token before any training", async () => {
    const split = { train: 1, valid: 0, test: 0, seed: 1 };
    const read = await loadLabels({ graph, inputs: { text }, projectDir: dir, table: "words.jsonl", split });
    const report = labelReport(graph, read.labels, read.splits, { offsets: read.offsets ?? null });
    const train = report.rows.filter((row) => row.split === "train");
    expect(train.find((row) => row.task_path === "part")).toEqual({
      ...{ split: "train", task_path: "part", rows: 6, labelled: 5, active: 3, used: 2, wasted: 3, contradictory: 3 },
    });
    expect(train.find((row) => row.task_path === "polite")).toMatchObject({ rows: 4, labelled: 4, used: 4 });
  });

  it("imply what a gate per row is in their row", () => {
    const offsets = offsetsOf([2, 1, 2]);
    const labels = [
      Float32Array.of(Number.NaN, Number.NaN, 0),
      Float32Array.of(Number.NaN, 1, Number.NaN, 0, 1),
      new Float32Array(10).fill(Number.NaN),
      new Float32Array(5).fill(Number.NaN),
    ].map((answers) => ({ answers, unitScale: null }));
    const { labels: complete, implied } = withImpliedLabels(graph, labels, offsets);
    expect([...(complete[0]?.answers ?? [])]).toEqual([1, Number.NaN, 0]);
    expect(implied).toEqual([{ task_path: "polite", implied: 1 }]);
  });
});

describe("labels per token that cannot be used", () => {
  const row = (cells: object) =>
    `${JSON.stringify({ text: "a b c", polite: 1, part: null, marks: null, weight: null, ...cells })}\n`;
  const good = row({ part: ["noun", "verb", null], marks: [[], [], []], weight: [1, 2, 3] });

  it.each([
    [
      "as many as tokens",
      { part: ["noun", "verb"] },
      'row 2, column "part": ["noun","verb"] has 2 labels, but the row has 3 tokens; give one per token, null where it is missing.',
    ],
    [
      "classes of the task",
      { part: ["noun", "verv", null] },
      'row 2, column "part": ["noun","verv",null] has "verv" as the label of token 2, which names the unknown class "verv"; did you mean "verb"?',
    ],
    [
      "a list",
      { weight: 4 },
      'row 2, column "weight": 4 is no list; write one label per token, as a list or as JSON: [1, 0, null].',
    ],
    [
      "numbers in bounds, cut off or not",
      { weight: [1, 2, 30] },
      "has 30 as the label of token 3, which is outside [0, 10]",
    ],
  ])("must be %s", async (_, cells, message) => {
    const loading = load("bad.jsonl", good + row(cells));
    await expect(loading).rejects.toThrow(DataError);
    await expect(loading).rejects.toThrow(message);
  });
});

describe("the id of a hidden token", () => {
  it("comes after the vocabulary, and is counted", () => {
    expect(idCount(text)).toBe(4);
    expect(idCount(tokens({ column: "text", vocabulary: ["a", "b", "c"], maxLength: 3, mask: true }))).toBe(5);
  });
});
