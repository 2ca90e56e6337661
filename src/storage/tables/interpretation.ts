/** @file The table samples_interpretation: the samples that each task does best and worst on. */
import type { Split } from "../../tasks/evaluation.js";
import { insertion, selection, where } from "./columns.js";
import type { Database } from "../database/database.js";

/** One of the best or worst samples of a task. */
export interface InterpretedSample {
  readonly taskPath: string;
  readonly side: "best" | "worst";
  /** 0 for the very best or worst. */
  readonly rank: number;
  /** Id of the sample, unique in its table. */
  readonly sample: string;
  readonly loss: number | null;
  /** Anything that JSON holds; numbers that are not finite become null. */
  readonly label: unknown;
  readonly prediction: unknown;
}

export interface StoredInterpretation extends InterpretedSample {
  readonly split: Split;
}

/** Restricts what is read; nothing given: everything. */
export interface InterpretationFilter {
  readonly split?: Split | undefined;
  readonly taskPath?: string | undefined;
  readonly side?: "best" | "worst" | undefined;
}

interface InterpretationRow extends StoredInterpretation {
  readonly label: string;
  readonly prediction: string;
}

const FIELDS = ["split", "taskPath", "side", "rank", "sample", "loss", "label", "prediction"];
const INSERT = insertion("samples_interpretation", ["runId", ...FIELDS]);

/** Replaces all samples of the split; to be called within `write`. */
export function replaceInterpretation(
  database: Database,
  runId: string,
  split: Split,
  samples: readonly InterpretedSample[],
): void {
  database.run("DELETE FROM samples_interpretation WHERE run_id = @runId AND split = @split", { runId, split });
  database.runEach(
    INSERT,
    samples.map((sample) => ({
      ...sample,
      runId,
      split,
      label: toJson(sample.label),
      prediction: toJson(sample.prediction),
    })),
  );
}

/** Samples by split and task, the best first, each side by rank. */
export function readInterpretation(
  database: Database,
  runId: string,
  filter: InterpretationFilter = {},
): StoredInterpretation[] {
  const { split, taskPath, side } = filter;
  const parameters = { runId, split, taskPath, side };
  return database
    .all<InterpretationRow>(
      `SELECT ${selection(FIELDS)} FROM samples_interpretation ${where(parameters)}
       ORDER BY split, task_path, side, rank`,
      parameters,
    )
    .map((row) => ({ ...row, label: JSON.parse(row.label), prediction: JSON.parse(row.prediction) }));
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}
