/** @file The store as a listener: it keeps what a run tells. */
import type { RunLogger, SamplesEvent } from "../logging/run-logger.js";
import type { RunStore } from "../storage/run-store.js";
import type { InterpretedSample } from "../storage/tables/interpretation.js";

/** Methods throw StoreError where the store cannot be written, which ends the run. */
export function storeLogger(
  store: Pick<
    RunStore,
    "appendMetrics" | "updateRun" | "replaceThresholds" | "replaceInterpretation" | "replaceEvaluation"
  >,
  runId: string,
): RunLogger {
  return {
    points: (points) => store.appendMetrics(runId, points),
    epoch: ({ epoch }) => void store.updateRun(runId, { epochsDone: epoch }),
    thresholds: ({ metric, thresholds }) => store.replaceThresholds(runId, metric, thresholds),
    samples: ({ split, tasks }) => store.replaceInterpretation(runId, split, rankedSamples(tasks)),
    evaluation({ rows, epoch }) {
      store.replaceEvaluation(runId, rows);
      store.updateRun(runId, { bestEpoch: epoch });
    },
  };
}

/** The samples of all tasks, as the store numbers them. */
function rankedSamples(tasks: SamplesEvent["tasks"]): InterpretedSample[] {
  return tasks.flatMap(({ task_path, best, worst }) => {
    const ranked = (side: "best" | "worst", samples: SamplesEvent["tasks"][number]["best"]) =>
      samples.map(({ id, loss, label, prediction }, rank) => ({
        ...{ taskPath: task_path, side, rank, sample: id },
        ...{ loss, label, prediction },
      }));
    return [...ranked("best", best), ...ranked("worst", worst)];
  });
}
