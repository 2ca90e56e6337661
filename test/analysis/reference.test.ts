/** @file What else the reference vectors hold: availability, answers, nested losses and trees, filtered indices. */
import { describe, expect, it } from "vitest";
import {
  type ExplanationNode,
  evaluateSplit,
  explainRow,
  type ScoredSplit,
  scoreSplit,
  totalLoss,
} from "../../src/analysis/index.js";
import { tuneThresholds } from "../../src/analysis/tune.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { allLogits, binary } from "../../src/tasks/index.js";
import {
  defaultThresholds,
  masksByPath,
  outputsFrom,
  type ReferenceColumns,
  type ReferenceMasks,
  readReference,
  referenceThresholds,
  security,
  securityBatch,
  securityGraph,
  securityRows,
} from "../support/security-flow.js";

type PerSample = Readonly<Record<string, readonly number[]>>;
interface MoreOfSecurity {
  readonly availability: ReferenceMasks;
  readonly indices_after_filter: Readonly<Record<string, readonly number[]>>;
}
const more: MoreOfSecurity = readReference("security_batch16");

const rowsOf = (mask: ArrayLike<number>): number[] => [...Array(mask.length).keys()].filter((row) => mask[row] === 1);
const labelledByPath = ({ tasks }: ScoredSplit) =>
  Object.fromEntries(tasks.map(({ task, labelled }) => [task.path, Array.from(labelled, (known) => known === 1)]));

/** Losses of single rows, and which rows these are, against the reference. */
function expectLosses({ tasks }: ScoredSplit, reference: PerSample): void {
  for (const { task, lossMask, perSampleLoss } of tasks) {
    const rows = rowsOf(lossMask);
    // the reference marks a task without rows by the row −1
    const expected = (reference[`indices|${task.path}`] ?? []).filter((row) => row >= 0);
    expect(rows, task.path).toEqual(expected);
    rows.forEach((row, i) => {
      expect(perSampleLoss[row], `${task.path} ${row}`).toBeCloseTo(reference[task.path]?.[i] as number, 5);
    });
  }
}

/** Losses of whole samples: the sum over what is asked of each. */
function expectOverall({ tasks }: ScoredSplit, reference: PerSample): void {
  reference["indices|overall"]?.forEach((row, i) => {
    const sum = tasks.reduce(
      (total, task) => total + (task.lossMask[row] === 1 ? (task.perSampleLoss[row] as number) : 0),
      0,
    );
    expect(sum, `row ${row}`).toBeCloseTo(reference.overall?.[i] as number, 5);
  });
}

function flatten(nodes: readonly ExplanationNode[]): ExplanationNode[] {
  return nodes.flatMap((node) => [node, ...flatten(node.children)]);
}

describe("the home-security batch", () => {
  it("has a label where the reference has one, and counts the rows that it filters", () => {
    const scored = securityBatch();
    expect(labelledByPath(scored)).toEqual(more.availability);
    const indices = Object.fromEntries(scored.tasks.map(({ task, lossMask }) => [task.path, rowsOf(lossMask)]));
    expect(indices).toEqual(more.indices_after_filter);
  });

  it.each(securityGraph.tasks)("activates and decodes $path as the reference at 0.5", ({ index, path, spec }) => {
    const { activated, decoded } = security["inference_thresholds_0.5"];
    const task = securityBatch().tasks[index];
    const kept = task === undefined ? undefined : allLogits(task.kept);
    (activated[path] ?? []).flat().forEach((score, i) => {
      expect(kept?.activated[i]).toBeCloseTo(score, 5);
    });
    const answers = (decoded[path] ?? []) as readonly (readonly (boolean | number)[])[];
    answers.forEach((answer, row) => {
      // the reference lists all classes, the best first, and numbers in 64ths of the picture
      if (spec.kind === "classification") expect(task?.decoded[row]).toBe(answer[0]);
      else if (spec.kind === "boundedRegression")
        expect((task?.decoded[row] ?? 0) * 64).toBeCloseTo(Number(answer[0]), 3);
      else {
        const own = task?.decoded.subarray(row * answer.length, (row + 1) * answer.length);
        expect([...(own ?? [])]).toEqual(answer.map(Number));
      }
    });
  });

  it("decides by the reference's thresholds as the reference", () => {
    const scored = securityBatch(referenceThresholds);
    for (const [path, answers] of Object.entries(security.inference_tuned.decoded)) {
      const task = scored.tasks.find((one) => one.task.path === path);
      expect([...(task?.decoded ?? [])], path).toEqual(answers.flat().map(Number));
    }
  });
});

describe("the nested flow with negations", () => {
  interface Nested {
    readonly logits: ReferenceColumns;
    readonly targets: ReferenceColumns;
    readonly availability: ReferenceMasks;
    readonly loss_per_task: Readonly<Record<string, number>>;
    readonly loss_total: number;
    readonly per_sample: PerSample;
    readonly inference: {
      readonly logits: ReferenceColumns;
      readonly tree_per_sample: Readonly<Record<string, string>>;
    };
  }
  const reference: Nested = readReference("nested_negation");
  const graph = traceFlow(
    defineTasks({
      features: ["features"],
      tasks: { camera_blocked: binary(), a: binary(), b: binary(), c: binary() },
    })
      .flow("inner", (flow, x, out) => {
        out.add(flow.a(x.features));
        out.add(flow.b(x.features).given(out.a.not()));
        out.add(flow.c(x.features).given(out.b));
      })
      .flow("outer", (flow, x, out) => {
        out.add(flow.camera_blocked(x.features));
        out.add(flow.inner(x).given(out.camera_blocked.not()));
      }),
    "outer",
  );
  const scored = scoreSplit(graph, outputsFrom(graph, reference.logits, reference.targets), defaultThresholds(graph));

  it("has its labels, losses of tasks, in total, of rows and of whole samples", () => {
    expect(labelledByPath(scored)).toEqual(reference.availability);
    const rows = evaluateSplit(graph, scored, ["truth"]);
    for (const [path, loss] of Object.entries(reference.loss_per_task)) {
      const row = rows.find(({ task_path, metric_name }) => task_path === path && metric_name === "loss");
      expect(row?.metric_res, path).toBeCloseTo(loss, 5);
    }
    expect(totalLoss(graph, rows).metric_res).toBeCloseTo(reference.loss_total, 5);
    expectLosses(scored, reference.per_sample);
    expectOverall(scored, reference.per_sample);
  });

  it.each(Object.entries(reference.inference.tree_per_sample))("shows the reference's tree of row %s", (row, tree) => {
    const { logits } = reference.inference;
    const answered = scoreSplit(graph, outputsFrom(graph, logits, logits), defaultThresholds(graph));
    const shown = flatten(explainRow(graph, answered, Number(row))).filter(({ kind }) => kind === "task");
    const lines = shown.map(({ path, decoded, activated, logits: [z] }) => {
      const answer = decoded[0] === true ? "True" : "False";
      return `${path.split(".").at(-1)} | decoded: ${answer}, activated: ${activated[0]?.toFixed(4)}, logits: ${z?.toFixed(4)}`;
    });
    const expected = tree.split("\n").flatMap((line) => line.match(/\w+ \| .*$/)?.[0] ?? []);
    expect(lines).toEqual(expected);
  });
});

describe("edge cases", () => {
  interface EdgeCases {
    readonly empty_precondition: {
      readonly precondition: ReferenceMasks;
      readonly result: { readonly per_sample: PerSample; readonly metrics: Readonly<Record<string, number>> };
    };
    readonly batch_of_one: {
      readonly per_sample_correct: {
        readonly camera_blocked: number;
        readonly "indices|camera_blocked": readonly number[];
      };
    };
    readonly tune_with_exactly_one_valid_sample: {
      readonly task: string;
      readonly "correct_person_present_thr_0.5": { readonly pred: boolean; readonly target: number };
    };
  }
  const cases: EdgeCases = readReference("edge_cases_and_bugs");
  const score = (rows: readonly number[]) =>
    scoreSplit(securityGraph, securityRows(rows), defaultThresholds(securityGraph));

  it("of rows of which most tasks are not asked: masks, losses and metrics of those that are", () => {
    const { precondition, result } = cases.empty_precondition;
    const scored = score([0, 1, 2, 3]);
    expect(masksByPath(scored, "lossMask")).toEqual(precondition);
    expectLosses(scored, result.per_sample);
    expectOverall(scored, result.per_sample);
    const rows = evaluateSplit(securityGraph, scored, ["truth"]);
    for (const [key, expected] of Object.entries(result.metrics)) {
      const [path, metric] = key.split("|");
      const found = rows.find(({ task_path, metric_name }) => task_path === path && metric_name === metric);
      // the reference has 0 where nothing is asked, and takes precision for recall
      if (!precondition[path as string]?.includes(true)) expect(found?.metric_res ?? null, key).toBeNull();
      else if (metric === "accuracy") expect(found?.metric_res, key).toBeCloseTo(expected, 5);
    }
  });

  it("of one row: its loss, of the one task that is asked", () => {
    const { camera_blocked, ...indices } = cases.batch_of_one.per_sample_correct;
    expectLosses(score([0]), { ...indices, camera_blocked: [camera_blocked] });
  });

  it("of one row to tune on: the threshold stays, and the answer is that of 0.5", () => {
    const { task, ...rest } = cases.tune_with_exactly_one_valid_sample;
    const { pred, target } = rest["correct_person_present_thr_0.5"];
    const scored = score([1]);
    const index = securityGraph.tasks.findIndex(({ path }) => path === task);
    expect(scored.tasks[index]?.labels.answers[0]).toBe(target);
    expect(scored.tasks[index]?.decoded[0]).toBe(Number(pred));
    const { thresholds, reports } = tuneThresholds(securityGraph, scored);
    expect(thresholds[index]).toEqual([0.5]);
    expect(reports.find(({ task_path }) => task_path === task)?.warning).toContain("no positive row among 1");
    // no row at all
    expect(reports.find(({ task_path }) => task_path.endsWith("facial_characteristics"))?.warning).toContain(
      "no row is active and labelled",
    );
  });
});
