/** @file What makes probabilities of a run's scores, as its folder keeps it. */
import { existsSync } from "node:fs";
import { z } from "zod";
import type { Calibrations } from "../analysis/calibration/fit.js";
import type { CalibrationRow } from "../analysis/calibration/measure.js";
import {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  calibrationForm,
  type TaskCalibration,
} from "../decoding/calibration.js";
import type { FlowGraph, TaskSpec } from "../flow/graph.js";
import type { RunStore } from "../storage/run-store.js";
import { behaviourOf } from "../tasks/index.js";
import type { Split } from "../tasks/evaluation.js";
import { checked } from "./run-documents.js";
import { brokenDocument, readJson, runFiles, writeJson } from "./run-folder.js";

/** calibration.json: plain data, so that other programs can apply it, too. */
export interface CalibrationRecord {
  readonly formatVersion: 1;
  /** `none`: the run was calibrated once, and its scores are those of its network again. */
  readonly method: CalibrationMethod | "none";
  /** The split that it was fitted on. */
  readonly split: Split;
  readonly tasks: Calibrations;
}

const probability = z.number().min(0).max(1);

const record = z.looseObject({
  formatVersion: z.literal(1),
  method: z.enum([...CALIBRATION_METHODS, "none"]),
  split: z.enum(["train", "valid", "test"]),
  tasks: z.record(
    z.string(),
    z.discriminatedUnion("method", [
      z.looseObject({ method: z.literal("temperature"), temperatures: z.array(z.number().positive()).min(1) }),
      z.looseObject({
        method: z.literal("isotonic"),
        maps: z
          .array(z.looseObject({ scores: z.array(z.number()).min(1), probabilities: z.array(probability).min(1) }))
          .min(1),
      }),
    ]),
  ),
});

/**
 * Of a run that has not been calibrated null.
 * @throws StoreError that names the file and the task, where it does not fit the graph
 */
export function readCalibration(runDir: string, graph: FlowGraph): CalibrationRecord | null {
  const file = runFiles(runDir).calibration;
  if (!existsSync(file)) return null;
  const found = checked<CalibrationRecord>(record, readJson(file), file);
  const specs = new Map(graph.tasks.map(({ path, spec }) => [path, spec]));
  for (const [path, calibration] of Object.entries(found.tasks)) {
    const problem = problemOf(specs.get(path), calibration);
    if (problem !== null) throw brokenDocument(file, path, problem);
  }
  return found.method === "none" ? null : found;
}

function problemOf(spec: TaskSpec | undefined, calibration: TaskCalibration): string | null {
  if (spec === undefined) return "the run has no such task";
  const form = calibrationForm(spec);
  if (form === null) return "the task has no probabilities";
  if (calibration.method === "temperature") {
    // the classes of a choice share one, so that their order stays
    const needed = behaviourOf(spec).choices(spec) === null ? form.maps(spec) : 1;
    const { length } = calibration.temperatures;
    return length === needed ? null : `it has ${length} temperatures, and the task has ${needed}`;
  }
  const { maps } = calibration;
  if (maps.length !== form.maps(spec)) return `it has ${maps.length} maps, and the task has ${form.maps(spec)}`;
  for (const { scores, probabilities } of maps) {
    if (scores.length !== probabilities.length) return "a map has other scores than probabilities";
    if (scores.some((score, i) => i > 0 && !(score > (scores[i - 1] ?? score))))
      return "the scores of a map do not rise";
    if (probabilities.some((value, i) => i > 0 && value < (probabilities[i - 1] ?? value))) {
      return "the probabilities of a map fall";
    }
  }
  return null;
}

/** Writes a calibration to the run's folder and what it comes to to the store. */
export function keepCalibration(
  store: RunStore,
  runId: string,
  runDir: string,
  kept: CalibrationRecord,
  rows: readonly CalibrationRow[],
): void {
  writeJson(runFiles(runDir).calibration, kept);
  store.replaceCalibration(
    runId,
    rows.map(({ split, task_path, metric_name, raw, calibrated, num_samples }) => ({
      ...{ method: kept.method, split, raw, calibrated },
      ...{ taskPath: task_path, metricName: metric_name, numSamples: num_samples },
    })),
  );
}

/** Makes a run's scores those of its network again. The file stays, because it is on record. */
export function dropCalibration(store: RunStore, runId: string, runDir: string): void {
  if (!existsSync(runFiles(runDir).calibration)) return;
  keepCalibration(store, runId, runDir, { formatVersion: 1, method: "none", split: "valid", tasks: {} }, []);
}
