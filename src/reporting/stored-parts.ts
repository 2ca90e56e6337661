/**
 * @file What of a run's folder can be read: a run that is training, of an older version, damaged or half deleted gives as
 * much as it has. The project's code is never run: where tasks of its own need it, their answers are not looked at.
 */
import { existsSync } from "node:fs";
import type { StoredRun } from "../asking/stored-run.js";
import { predictedSplits } from "../asking/stored-run.js";
import { CoolError, lineOf } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import type { RunningProject } from "../project/project-dir.js";
import { readBaselines } from "../records/baselines.js";
import { readCalibration } from "../records/calibration.js";
import { readGraph, readRunConfig } from "../records/run-documents.js";
import { type RunConfig, runFiles } from "../records/run-folder.js";
import { readThresholds } from "../records/thresholds.js";
import { isTracked } from "../records/tracked-run.js";
import type { RunRecord } from "../storage/run-record.js";
import { lacksDefinition } from "../tasks/index.js";

export interface StoredParts {
  readonly graph: FlowGraph | null;
  readonly config: RunConfig | null;
  /** The run as answers are read from it; null where it has none that can be read. */
  readonly stored: StoredRun | null;
  /** Why something is not there, in sentences. */
  readonly missing: readonly string[];
}

export function storedParts(run: RunRecord, dir: string, project: RunningProject | null): StoredParts {
  const missing: string[] = [];
  const none = { graph: null, config: null, stored: null, missing };
  if (!existsSync(dir)) {
    missing.push("The run's folder has been deleted: what the store keeps of it is shown.");
    return none;
  }
  if (isTracked(dir)) return none;
  const attempt = <Value>(read: () => Value): Value | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CoolError)) throw error;
      missing.push(lineOf(error));
      return null;
    }
  };
  const graph = attempt(() => readGraph(dir));
  const config = attempt(() => readRunConfig(dir));
  if (graph === null || config === null) return { ...none, graph, config };
  if (!existsSync(runFiles(dir).thresholds) || predictedSplits(dir).length === 0) {
    missing.push(
      run.displayState === "running"
        ? "The run is still training: confusion, thresholds and samples come when it has ended."
        : "The run has no answers on record: there are no confusion matrices, reliability diagrams or thresholds.",
    );
    return { graph, config, stored: null, missing };
  }
  if (graph.tasks.some(({ spec }) => lacksDefinition(spec))) {
    missing.push(
      "Some tasks are of the project's own kinds, whose code is not run for a report: their answers are not looked at.",
    );
    return { graph, config, stored: null, missing };
  }
  const stored = attempt(
    (): StoredRun => ({
      ...{ run, dir, config, graph, project },
      thresholds: readThresholds(dir, graph),
      baselines: readBaselines(dir, graph),
      calibration: readCalibration(dir, graph),
    }),
  );
  return { graph, config, stored, missing };
}
