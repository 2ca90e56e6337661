/** @file A run as comparison sees it. */
import type { EvaluationRow } from "../../tasks/evaluation.js";
import type { MetricDirections } from "./directions.js";

export type ConfigValue = string | number | boolean | null;
/** Facts about one run under flat keys. */
export type FlatFacts = Readonly<Record<string, ConfigValue>>;

/** A run as comparison sees it. */
export interface ComparableRun {
  readonly id: string;
  readonly name: string;
  /** Flattened settings. */
  readonly config: FlatFacts;
  /** Backend, machine, system, versions. */
  readonly environment?: FlatFacts;
  /** Commit and digest of the source. */
  readonly code?: FlatFacts;
  /** Digest of the table and its images. */
  readonly data?: FlatFacts;
  /** What must be equal, settings aside, for two runs to differ in their seed alone; default `code` and `data`. */
  readonly identity?: FlatFacts;
  readonly evaluation: readonly EvaluationRow[];
  /** Of the metrics of custom tasks; those of others go by their names. */
  readonly directions?: MetricDirections;
}
