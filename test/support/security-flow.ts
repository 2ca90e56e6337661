/** @file The home-security flow of the reference vectors, and readers of those vectors. */
import { readFileSync } from "node:fs";
import { type ScoredSplit, type SplitOutputs, scoreSplit } from "../../src/analysis/index.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { traceFlow } from "../../src/flow/trace.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  classification,
  type Labels,
  multilabel,
  type Thresholds,
} from "../../src/tasks/index.js";

// the reference holds regression targets in [0, 1]
const fraction = () => boundedRegression({ max: 1 });

const definitions = defineTasks({
  features: ["features", "face_localization", "body_localization"],
  tasks: {
    camera_blocked: binary(),
    door_open: binary(),
    door_locked: binary(),
    person_present: binary(),
    face_x1: fraction(),
    face_y1: fraction(),
    face_w: fraction(),
    face_h: fraction(),
    facial_characteristics: multilabel({ labels: ["red", "green", "blue"] }),
    body_x1: fraction(),
    body_y1: fraction(),
    body_w: fraction(),
    body_h: fraction(),
    shirt_type: classification({ classes: ["blue", "red", "yellow", "cyan", "magenta", "green", "black"] }),
  },
})
  .flow("face_regression", (flow, x, out) => {
    out.add(flow.face_x1(x.face_localization));
    out.add(flow.face_y1(x.face_localization));
    out.add(flow.face_w(x.face_localization));
    out.add(flow.face_h(x.face_localization));
    out.add(flow.facial_characteristics(x.features));
  })
  .flow("body_regression", (flow, x, out) => {
    out.add(flow.body_x1(x.body_localization));
    out.add(flow.body_y1(x.body_localization));
    out.add(flow.body_w(x.body_localization));
    out.add(flow.body_h(x.body_localization));
    out.add(flow.shirt_type(x.features));
  })
  .flow("person_regression", (flow, x, out) => {
    out.add(flow.face_regression(x));
    out.add(flow.body_regression(x));
  })
  .flow("full_flow", (flow, x, out) => {
    out.add(flow.camera_blocked(x.features));
    out.add(flow.door_open(x.features).given(out.camera_blocked.not()));
    out.add(flow.door_locked(x.features).given(out.door_open.not()));
    out.add(flow.person_present(x.features).given(out.door_open));
    out.add(flow.person_regression(x).given(out.person_present));
  });

/** 14 tasks, as in the reference. */
export const securityGraph: FlowGraph = traceFlow(definitions, "full_flow");

/** Per task path, per row: a number or several. */
export type ReferenceColumns = Readonly<Record<string, readonly (number | readonly number[])[]>>;
export type ReferenceMasks = Readonly<Record<string, readonly boolean[]>>;

export interface SecurityReference {
  readonly logits: ReferenceColumns;
  readonly targets: ReferenceColumns;
  readonly "precondition_with_gt(training_and_eval_identical)": ReferenceMasks;
  readonly training_mode_gt: {
    readonly loss_total: number;
    readonly loss_per_task: Readonly<Record<string, number>>;
    readonly per_sample: Readonly<Record<string, readonly number[]>>;
    readonly metrics: Readonly<Record<string, number>>;
  };
  readonly tuned: Readonly<Record<string, { readonly threshold?: number; readonly thresholds?: readonly number[] }>>;
  readonly evaluation_rows_with_tuned_thresholds: readonly {
    readonly task_path: string;
    readonly metric_name: string;
    readonly metric_res: number;
    readonly num_samples: number;
  }[];
  readonly "inference_thresholds_0.5": {
    readonly precondition: ReferenceMasks;
    readonly activated: ReferenceColumns;
    readonly decoded: Readonly<Record<string, readonly (readonly (boolean | number)[])[]>>;
  };
  readonly inference_tuned: {
    readonly precondition: ReferenceMasks;
    readonly decoded: Readonly<Record<string, readonly (readonly boolean[])[]>>;
  };
  readonly "tree_text_per_sample_0.5": Readonly<Record<string, string>>;
  readonly tree_text_per_sample_tuned: Readonly<Record<string, string>>;
  readonly correct_values: {
    readonly "per_sample|person_regression.face_regression.facial_characteristics": {
      readonly correct_mean_over_labels: readonly number[];
    };
    readonly "training_precision_recall_thr_0.5(correct)": Readonly<Record<string, number>>;
    readonly "evaluation_precision_recall_tuned(correct)": Readonly<Record<string, number>>;
    readonly "per_sample|overall_correct": readonly number[];
  };
}

/** A file of fixtures/reference. The caller names its shape. */
export function readReference<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(`../../fixtures/reference/${name}.json`, import.meta.url), "utf8")) as Shape;
}

export const security: SecurityReference = readReference("security_batch16");

/** A reference column as a flat array; −1 there is a missing label. */
export function labelsFrom(column: ReferenceColumns[string] | undefined): Labels {
  const answers = Float32Array.from((column ?? []).flat(), (value) => (value === -1 ? Number.NaN : value));
  return { answers, unitScale: null };
}

/** Outputs of any graph whose paths are the reference's. */
export function outputsFrom(graph: FlowGraph, logits: ReferenceColumns, targets: ReferenceColumns): SplitOutputs {
  const rows = Object.values(logits)[0]?.length ?? 0;
  return {
    split: "test",
    ids: Array.from({ length: rows }, (_, row) => `row ${row}`),
    outputs: graph.tasks.map(({ path }) => Float32Array.from((logits[path] ?? []).flat())),
    labels: graph.tasks.map(({ path }) => labelsFrom(targets[path])),
  };
}

/** Some rows of the reference batch, in the order given; a row may repeat. */
export function securityRows(rows: readonly number[]): SplitOutputs {
  const pick = (columns: ReferenceColumns): ReferenceColumns =>
    Object.fromEntries(
      Object.entries(columns).map(([path, column]) => [path, rows.map((row) => column[row] as number)]),
    );
  return outputsFrom(securityGraph, pick(security.logits), pick(security.targets));
}

export function defaultThresholds(graph: FlowGraph): Thresholds[] {
  return graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
}

/** The thresholds that the reference was tuned to. */
export const referenceThresholds: readonly Thresholds[] = securityGraph.tasks.map(({ path }) => {
  const { threshold, thresholds } = security.tuned[path] ?? {};
  return thresholds ?? (threshold === undefined ? [] : [threshold]);
});

/** The 16 rows of the reference. */
export function securityBatch(thresholds: readonly Thresholds[] = defaultThresholds(securityGraph)): ScoredSplit {
  return scoreSplit(securityGraph, outputsFrom(securityGraph, security.logits, security.targets), thresholds);
}

/** Masks by path, as the reference has them. */
export function masksByPath(scored: ScoredSplit, mask: "activePredicted" | "lossMask"): Record<string, boolean[]> {
  return Object.fromEntries(scored.tasks.map((task) => [task.task.path, Array.from(task[mask], (m) => m === 1)]));
}
