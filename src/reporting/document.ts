/**
 * @file The report document: everything that a page shows of runs, as one plain object that JSON holds. It is made of
 * what is stored alone (`reportDocument(store, references)` in report-document.ts), so that `cool report` embeds it in a
 * file, and a server sends the same object as JSON: `import type { ReportDocument }` is all that a page needs. Names are
 * those of the JSON contract. Types only: nothing here runs.
 */
import type { ParallelPlot } from "../plotting/parallel.js";
import type { StudyDocument } from "../sweeping/study/study-document.js";
import type { StudyScatter } from "../sweeping/study/study-scatters.js";
import type { EvaluationRow, GroupEvaluationRow, Split } from "../tasks/evaluation.js";

/** A report on one run, on several beside each other, or on a group of folds. */
export interface ReportDocument {
  readonly format_version: 1;
  readonly kind: "run" | "comparison" | "group";
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  /** The dnn-cool that made it. */
  readonly version: string;
  readonly runs: readonly RunReport[];
  /** What a group's runs come to together; null for other reports. */
  readonly group: GroupReport | null;
  /** What differs between several runs; null for one. */
  readonly differences: Differences | null;
  /** What was left out to keep the report small, in sentences. */
  readonly left_out: readonly string[];
}

export interface RunReport {
  readonly overview: RunOverview;
  readonly settings: readonly Setting[];
  /** Machine, system, git and packages. */
  readonly environment: readonly Fact[];
  /** null for a run that another program trained, and where the run's folder is gone. */
  readonly flow: FlowReport | null;
  /** In the order of the flow. */
  readonly curves: readonly Curve[];
  readonly evaluation: readonly EvaluationRow[];
  /** In the order of the flow; of a run without one the tasks that its curves name. */
  readonly tasks: readonly TaskReport[];
  readonly contracts: readonly ContractReport[];
  readonly calibration: CalibrationReport | null;
  /** Pictures and words of the samples that tasks name, by sample. */
  readonly pictures: Readonly<Record<string, SamplePicture>>;
  /** null where there is none. */
  readonly log: LogTail | null;
  /** Why something of this run is not there, in sentences. */
  readonly missing: readonly string[];
}

export interface RunOverview {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly state: RunStateName;
  readonly tags: readonly string[];
  readonly starred: boolean;
  readonly note: string | null;
  readonly error: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly duration_s: number | null;
  readonly epochs: number | null;
  readonly epochs_done: number;
  readonly best_epoch: number | null;
  readonly seed: number | null;
  readonly backend: string | null;
  readonly host: string;
  readonly command_line: string | null;
  readonly git_commit: string | null;
  readonly git_branch: string | null;
  readonly git_dirty: boolean | null;
  readonly group: string | null;
  /** Whether another program trained it. */
  readonly tracked: boolean;
}

export type RunStateName = "running" | "finished" | "failed" | "interrupted" | "pruned" | "crashed";

/** A name and what it stands for, ready to be read. */
export interface Fact {
  readonly key: string;
  readonly value: string;
}

export interface Setting extends Fact {
  /** What changed it from what the project says; null: nothing. */
  readonly changed_by: "set" | "flag" | null;
}

/** The flow as a drawing needs it. */
export interface FlowReport {
  readonly name: string;
  readonly nodes: readonly FlowReportNode[];
  readonly edges: readonly FlowEdge[];
}

export interface FlowReportNode {
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  readonly kind: string;
  /** Under which it is asked, in words, with the conditions of the flows around it; null: always. */
  readonly condition: string | null;
}

/** A gate and what it opens. */
export interface FlowEdge {
  readonly from: string;
  readonly to: string;
  /** What the gate must say, such as `yes` or `is red`. */
  readonly label: string;
}

/** One curve of few enough points: peaks and holes are where they were. */
export interface Curve {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  /** What `x` counts. */
  readonly unit: "epoch" | "step";
  readonly x: readonly number[];
  /** null where it is undefined or no finite number. */
  readonly y: readonly (number | null)[];
  /** Points on record. */
  readonly points: number;
  /** Points on record that are NaN or infinite. */
  readonly not_finite: number;
}

export interface TaskReport {
  readonly path: string;
  readonly name: string;
  /** `binary`, `classification`, …; null where it is not known. */
  readonly kind: string | null;
  readonly condition: string | null;
  /** The metric that stands for the task; null where it has none. */
  readonly headline: string | null;
  /** Metrics of which less is better. */
  readonly lower_is_better: readonly string[];
  readonly confusion: readonly ConfusionReport[];
  readonly reliability: readonly ReliabilityReport[];
  readonly thresholds: readonly ThresholdReport[];
  readonly samples: readonly SampleReport[];
}

/** Rows are labels, columns answers, where the question was rightly asked. */
export interface ConfusionReport {
  readonly split: Split;
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
  readonly total: number;
}

/** How often answers given with a probability are right, over bins of equal width. */
export interface ReliabilityReport {
  readonly split: Split;
  readonly count: number;
  /** null without answers. */
  readonly expected_calibration_error: number | null;
  readonly bins: readonly {
    readonly lower: number;
    readonly upper: number;
    readonly count: number;
    readonly mean_score: number | null;
    readonly share_of_yes: number | null;
  }[];
}

/** What each candidate threshold of one yes-or-no question comes to, on the rows where it was rightly asked. */
export interface ThresholdReport {
  readonly split: Split;
  /** The label whose threshold it is; null: the task's only one. */
  readonly label: string | null;
  /** As it is on record. */
  readonly threshold: number;
  readonly positives: number;
  readonly negatives: number;
  /** Ascending, in [0, 1]; a decision is `score >= threshold`. The one on record is among them. */
  readonly candidates: readonly number[];
  /** Of each candidate. */
  readonly true_positives: readonly number[];
  readonly false_positives: readonly number[];
}

/** One of the samples that a task answers best or worst. */
export interface SampleReport {
  readonly split: Split;
  readonly side: "best" | "worst";
  readonly rank: number;
  readonly sample: string;
  readonly loss: number | null;
  readonly label: string;
  readonly prediction: string;
  /** Boxes and points on the picture, in fractions of its sides; empty where it has none. */
  readonly marks: readonly SampleMark[];
}

export interface SampleMark {
  readonly of: "label" | "prediction";
  /** A point has no width and height. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type SamplePicture =
  | { readonly kind: "picture"; readonly uri: string; readonly width: number; readonly height: number }
  | { readonly kind: "text"; readonly text: string }
  /** `reason` completes "the picture …", e.g. "is gone". */
  | { readonly kind: "missing"; readonly reason: string };

/** What the flow says never goes together, and how often the answers do it all the same. */
export interface ContractReport {
  readonly split: Split;
  readonly contract: string;
  readonly rows: number;
  readonly broken: number;
}

export interface CalibrationReport {
  readonly method: string;
  readonly rows: readonly {
    readonly split: Split;
    readonly task_path: string;
    readonly metric_name: string;
    readonly raw: number | null;
    readonly calibrated: number | null;
    readonly num_samples: number;
  }[];
}

/** The end of what the run printed. */
export interface LogTail {
  /** Whether there is more before these lines. */
  readonly cut: boolean;
  readonly lines: readonly string[];
}

export interface GroupReport {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly planned: number;
  /** null while its runs are not all evaluated together. */
  readonly ended_at: string | null;
  readonly evaluation: readonly GroupEvaluationRow[];
  /** null where the group is no sweep. */
  readonly study: StudyReport | null;
}

/** What `cool sweep show --json` prints, and its pictures. */
export interface StudyReport extends StudyDocument {
  readonly parallel: ParallelPlot;
  /** The (first) objective along each parameter. */
  readonly slices: readonly StudyScatter[];
  /** Of several objectives each other one along the first; else empty. */
  readonly fronts: readonly StudyScatter[];
}

/** Values of several runs by key, in the order of the report's runs; null where a run has none. */
export interface Differences {
  readonly settings: readonly DifferingFact[];
  readonly code: readonly DifferingFact[];
  readonly environment: readonly DifferingFact[];
}

export interface DifferingFact {
  readonly key: string;
  readonly values: readonly (string | null)[];
}
