/** @file A report as HTML without scripts: its tables are there, and its texts are texts. */
import { expect, test } from "vitest";
import { decidedAt, recordedCandidate } from "../../src/pages/report/decisions.js";
import { layOut } from "../../src/pages/flow/layout.js";
import { renderReport } from "../../src/pages/report/server.js";
import type { ReportDocument, RunReport, ThresholdReport } from "../../src/reporting/document.js";

const HOSTILE = '"><script>alert(1)</script><b onmouseover=alert(1)>';

const THRESHOLD: ThresholdReport = {
  ...{ split: "test", label: null, threshold: 0.4, positives: 4, negatives: 6 },
  ...{ candidates: [0, 0.4, 1], true_positives: [4, 3, 0], false_positives: [6, 1, 0] },
};

const RUN: RunReport = {
  overview: {
    ...{
      id: "20260101-000000-abcd",
      name: HOSTILE,
      project: HOSTILE,
      state: "finished",
      tags: [HOSTILE],
      starred: true,
    },
    ...{ note: HOSTILE, error: null, started_at: "2026-01-01T00:00:00Z", ended_at: null, duration_s: null, epochs: 3 },
    ...{ epochs_done: 2, best_epoch: null, seed: 1, backend: null, host: "h", command_line: HOSTILE, git_commit: null },
    ...{ git_branch: null, git_dirty: null, group: null, tracked: false },
  },
  settings: [{ key: HOSTILE, value: HOSTILE, changed_by: "set" }],
  environment: [{ key: "node", value: HOSTILE }],
  flow: {
    name: HOSTILE,
    nodes: [
      { path: "door", name: "door", kind: "binary", condition: null },
      { path: "lock", name: "lock", kind: HOSTILE, condition: HOSTILE },
    ],
    edges: [{ from: "door", to: "lock", label: HOSTILE }],
  },
  curves: [
    {
      split: "train",
      task_path: "door",
      metric_name: "loss",
      unit: "epoch",
      x: [1, 2],
      y: [0.5, 0.125],
      points: 2,
      not_finite: 0,
    },
  ],
  evaluation: [
    {
      ...{
        split: "test",
        task_path: "door",
        metric_name: "accuracy",
        metric_res: 0.8125,
        num_samples: 16,
        gates: "truth",
      },
      ...{ baseline: 0.875, beats_baseline: false, interval: [0.7, 0.9] },
    },
  ],
  tasks: [
    {
      ...{
        path: "door",
        name: "door",
        kind: "binary",
        condition: null,
        headline: "accuracy",
        lower_is_better: ["loss"],
      },
      confusion: [
        {
          split: "test",
          classes: [HOSTILE, "b"],
          counts: [
            [5, 1],
            [2, 8],
          ],
          total: 16,
        },
      ],
      reliability: [],
      thresholds: [THRESHOLD],
      samples: [
        {
          ...{ split: "test", side: "worst", rank: 0, sample: HOSTILE, loss: 3, label: HOSTILE, prediction: HOSTILE },
          marks: [],
        },
      ],
    },
  ],
  contracts: [{ split: "test", contract: HOSTILE, rows: 10, broken: 1 }],
  calibration: null,
  pictures: { [HOSTILE]: { kind: "missing", reason: "is gone" } },
  log: { cut: false, lines: [HOSTILE] },
  missing: [HOSTILE],
};

const REPORT: ReportDocument = {
  ...{ format_version: 1, kind: "run", title: HOSTILE, created_at: "2026-01-02T03:04:05Z", version: "0" },
  ...{ runs: [RUN], group: null, differences: null, left_out: [] },
};

test("names of runs, tasks, labels and files stay text, and no attribute styles or runs anything", () => {
  const { html } = renderReport(REPORT);
  expect(html).not.toContain("<script");
  expect(html).not.toContain("<b ");
  expect(html).not.toMatch(/<[^>]*\son\w+=/);
  expect(html).not.toMatch(/<[^>]*\sstyle=/);
});

test("without scripts the tables are there: evaluation, thresholds, confusion, curves", () => {
  const { html, sections } = renderReport(REPORT);
  const text = html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
  for (const shown of ["0.813", "0.700 to 0.900", "! no", "13 of 16 right", "0.750", "The picture is gone"]) {
    expect(text).toContain(shown);
  }
  expect(text).toMatch(/train\s+0\.5\s+0\.125/);
  expect(sections.map(({ id }) => id)).toEqual([
    ...["overview", "results", "flow", "tasks", "contracts", "settings", "environment", "log"],
  ]);
  for (const { id } of sections) expect(html).toContain(`id="${id}"`);
});

test("every table has a caption and headers, and every picture a text", () => {
  const { html } = renderReport(REPORT);
  expect(html.match(/<caption/g)?.length).toBe(html.match(/<table/g)?.length);
  expect(html).not.toMatch(/<th(?![^>]*scope=)[\s>]/);
  expect(html).not.toMatch(/<img(?![^>]*alt=)/);
});

test("what a threshold comes to follows from four counts", () => {
  expect(recordedCandidate(THRESHOLD)).toBe(1);
  // three of four found, one of six taken for one
  expect(decidedAt(THRESHOLD, 1)).toMatchObject({
    ...{ truePositives: 3, falsePositives: 1, falseNegatives: 1, trueNegatives: 5 },
    ...{ precision: 3 / 4, recall: 3 / 4, f1: 3 / 4, accuracy: 8 / 10 },
  });
  expect(decidedAt(THRESHOLD, 2)).toMatchObject({ precision: 0, recall: 0, f1: 0, accuracy: 6 / 10 });
});

test("gates stand left of what they open, and no two tasks lie on each other", () => {
  const node = (path: string) => ({ path, name: path, kind: "binary", condition: null });
  const edges = [
    { from: "a", to: "c", label: "yes" },
    { from: "b", to: "c", label: "no" },
    { from: "c", to: "d", label: "yes" },
    { from: "a", to: "e", label: "yes" },
  ];
  const { nodes, width, height } = layOut({ nodes: ["a", "b", "c", "d", "e"].map(node), edges });
  const xOf = (path: string) => nodes.find((placed) => placed.node.path === path)?.x ?? Number.NaN;
  for (const { from, to } of edges) expect(xOf(from)).toBeLessThan(xOf(to));
  expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(5);
  for (const { x, y } of nodes) expect(x < width && y < height).toBe(true);
});
