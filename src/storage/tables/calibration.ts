/** @file The table calibration: how far a run's scores are from what comes true, before and after calibration. */
import type { Split } from "../../tasks/evaluation.js";
import { insertion, selection } from "./columns.js";
import type { Database } from "../database/database.js";

/** One number of one task on one split; null where it has no answers. */
export interface StoredCalibration {
  readonly method: string;
  readonly split: Split;
  readonly taskPath: string;
  readonly metricName: string;
  readonly raw: number | null;
  readonly calibrated: number | null;
  readonly numSamples: number;
}

const FIELDS = ["method", "split", "taskPath", "metricName", "raw", "calibrated", "numSamples"];
const INSERT = insertion("calibration", ["runId", ...FIELDS]);

/** Replaces everything that is on record; to be called within `write`. */
export function replaceCalibration(database: Database, runId: string, rows: readonly StoredCalibration[]): void {
  database.run("DELETE FROM calibration WHERE run_id = @runId", { runId });
  database.runEach(
    INSERT,
    rows.map((row) => ({ runId, ...row })),
  );
}

/** Rows as they were given. */
export function readCalibration(database: Database, runId: string): StoredCalibration[] {
  return database.all(`SELECT ${selection(FIELDS)} FROM calibration WHERE run_id = @runId ORDER BY seq`, { runId });
}
