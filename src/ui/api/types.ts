/** @file What `cool ui` answers, as its pages read it: types alone, in the names of the JSON contract. */
import type { RunComparison } from "../../comparing/compare-runs.js";
import type { ListedRun } from "../../records/list-runs.js";
import type { StudyReport } from "../../reporting/document.js";
import type { EvaluatedGates, GroupEvaluationRow, Split } from "../../tasks/evaluation.js";

/** `GET /api/about`: what is looked at. */
export interface About {
  readonly version: string;
  /** Folder of the store, as its user knows it. */
  readonly store: string;
  /** Whether tags, notes, stars and the trash may be changed. */
  readonly can_edit: boolean;
}

/** What is asked for with `GET /api/runs`, and in the address of the page. */
export interface RunsQuestion {
  /** As in `cool runs list --where`; empty: all. */
  readonly where: string;
  /** As in `--sort`: fields with `:asc` or `:desc`. */
  readonly sort: readonly string[];
  /** Fields to show besides those that are asked about. */
  readonly columns: readonly string[];
  readonly trash: "live" | "only";
}

/** `GET /api/runs?where=…&sort=…&column=…&trash=…&from=0&limit=100&view=…` */
export interface RunsPage {
  readonly runs: readonly ListedRun[];
  /** Place of the first one in the whole list, from 0. */
  readonly from: number;
  /** How many match; null where they have not been counted yet. */
  readonly total: number | null;
  /** Names the list as it was ordered: pages of one list fit together while runs come and go. null: ask again for one. */
  readonly view: string | null;
  /** Whether the store has not changed since the list was ordered; else a later question brings a newer order. */
  readonly is_current: boolean;
  /** Fields in `values` of the runs that were asked for or asked about. */
  readonly columns: readonly string[];
}

/** `GET /api/fields`: names that conditions, orders and columns may use. */
export interface FieldNames {
  readonly fields: readonly string[];
}

/** `GET /api/curves?run=…`: what curves runs have. */
export interface CurveNames {
  readonly curves: readonly CurveName[];
}

export interface CurveName {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  /** Of the runs that were named, those that have it. */
  readonly runs: number;
}

/** `GET /api/series?run=…&curve=split/task/metric&points=500` */
export interface SeriesAnswer {
  readonly series: readonly Series[];
}

/** A curve of a run, with fewer points where there are many: the lowest and the highest of each stretch are kept. */
export interface Series {
  readonly run: string;
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  readonly steps: readonly number[];
  /** null where there is no epoch. */
  readonly epochs: readonly (number | null)[];
  /** null where it is undefined or no finite number. */
  readonly values: readonly (number | null)[];
  /** Points on record. */
  readonly points: number;
}

/** `GET /api/compare?run=…&run=…` is what `cool compare runs --json` prints without samples. */
export type CompareAnswer = RunComparison;

/** `GET /api/runs/ID/log?lines=200` */
export interface LogAnswer {
  readonly lines: readonly string[];
  /** Whether lines before these are left out. */
  readonly is_cut: boolean;
}

/** `GET /api/groups` */
export interface GroupsAnswer {
  readonly groups: readonly GroupSummary[];
}

export interface GroupSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly project: string;
  readonly planned: number;
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly runs: readonly string[];
  readonly evaluation: readonly GroupRow[];
}

/** `GET /api/groups/ID` */
export interface GroupAnswer {
  readonly group: GroupSummary;
  /** Of a sweep: its trials, and what they come to. */
  readonly study: StudyReport | null;
  /** In their order; those in the trash, too. */
  readonly runs: readonly ListedRun[];
}

export type GroupRow = Pick<
  GroupEvaluationRow,
  "split" | "task_path" | "metric_name" | "mean" | "deviation" | "runs" | "metric_res" | "num_samples"
> & { readonly gates: EvaluatedGates };

/** `POST /api/edit/ID`: each part that is there is changed. Answered with the run as it is then. */
export interface RunEdit {
  readonly add_tags?: readonly string[];
  readonly remove_tags?: readonly string[];
  /** Empty or null takes the note away. */
  readonly note?: string | null;
  readonly starred?: boolean;
  /** Into the trash, or back. */
  readonly trash?: boolean;
}

/** `POST /api/edits`: the same change of several runs, of all or, where one cannot be changed, of none. */
export interface RunsEdit extends RunEdit {
  /** Ids, each once. */
  readonly runs: readonly string[];
}

export interface EditAnswer {
  readonly runs: readonly ListedRun[];
}

/** An event of `GET /api/events`: the store was written to, and what `GET`s give may be others. */
export interface ChangeEvent {
  /** Rises with each change. */
  readonly change: number;
  /** Why nothing can be read at the moment; null: it can. */
  readonly problem: string | null;
}

/** Every answer that is an error. */
export interface ProblemAnswer {
  readonly error: string;
  /** May have several lines: a condition with its place marked. */
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}
