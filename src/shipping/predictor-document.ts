/** @file A run → predictor.json: what `dnn-cool/predictor` answers with, besides the network. */
import type { StoredRun } from "../asking/stored-run.js";
import type { PredictorDocument } from "../predictor/document.js";
import { thresholdsByPath } from "../records/thresholds.js";

export function predictorDocument({ run, graph, config, thresholds, calibration }: StoredRun): PredictorDocument {
  return {
    format: "dnn-cool-predictor",
    version: 1,
    run: { id: run.id, name: run.name },
    graph,
    inputs: config.inputs,
    thresholds: thresholdsByPath(graph, thresholds),
    calibration: calibration === null ? null : { tasks: calibration.tasks },
  };
}
