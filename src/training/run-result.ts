/** @file What training a run comes to. */
import type { RunSummary } from "../records/run-summary.js";
import type { ThresholdsByPath } from "../records/thresholds.js";
import type { EvaluationRow } from "../tasks/evaluation.js";

/** What `cool run --json` prints (docs/architecture.md#json). */
export interface RunResult {
  readonly run: RunSummary;
  readonly thresholds: ThresholdsByPath;
  readonly evaluation: readonly EvaluationRow[];
  /** Rows of the table that were left out because of their images; config.json names them. */
  readonly skipped: number;
}
