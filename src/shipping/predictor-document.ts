/** @file A run → predictor.json: what `dnn-cool/predictor` answers with, besides the network. */
import type { StoredRun } from "../asking/stored-run.js";
import { DOCUMENT_VERSION, type PredictorDocument } from "../predictor/document.js";
import { onDemandMetricsOf } from "../project/metrics.js";
import { thresholdsByPath } from "../records/thresholds.js";

/** @param gates of the model beside it */
export function predictorDocument(stored: StoredRun, gates: "tensors" | "if" = "tensors"): PredictorDocument {
  const { run, graph, config, thresholds, calibration, baselines } = stored;
  const { data, evaluate } = config.settings;
  return {
    format: "dnn-cool-predictor",
    version: DOCUMENT_VERSION,
    run: { id: run.id, name: run.name },
    graph,
    inputs: config.inputs,
    thresholds: thresholdsByPath(graph, thresholds),
    calibration: calibration === null ? null : { tasks: calibration.tasks },
    evaluation: {
      metrics: onDemandMetricsOf(config.settings),
      tolerance: evaluate.tolerance,
      groupBy: data.split.groupBy ?? null,
      baselines,
    },
    ...(gates === "if" ? { gates } : {}),
  };
}
