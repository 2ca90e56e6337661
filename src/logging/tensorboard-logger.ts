/** @file Writes a run's curves as TensorBoard event files: one folder per split, one group per task. */
import { join } from "node:path";
import type { Split } from "../tasks/evaluation.js";
import type { EpochSummary, RunLogger } from "./run-logger.js";
import { type EventWriter, openEventWriter } from "./tensorboard/index.js";

/**
 * @param runDir folder of the run; event files go to `train/`, `valid/` and `test/` below it
 * @param resumeStep step from which the run goes on; what was written after it is superseded
 */
export function openTensorBoardLogger(runDir: string, resumeStep = 0): RunLogger {
  const writers = new Map<Split, EventWriter>();
  const writer = (split: Split): EventWriter => {
    const open = writers.get(split) ?? openEventWriter(join(runDir, split), { resumeStep });
    writers.set(split, open);
    return open;
  };
  return {
    epoch(summary) {
      writeTotals(writer("train"), summary);
      if (!Number.isNaN(summary.validLoss)) writer("valid").scalar("_total/loss", summary.validLoss, summary.step);
      for (const row of summary.rows) {
        if (row.metric_res === null) continue;
        writer(row.split).scalar(`${row.task_path}/${row.metric_name}`, row.metric_res, summary.step);
      }
      for (const open of writers.values()) open.sync();
    },
    evaluation(rows, step) {
      for (const row of rows) {
        if (row.metric_res === null || row.split !== "test") continue;
        const suffix = row.gates === "truth" ? "" : "/predicted_gates";
        writer("test").scalar(`${row.task_path}/${row.metric_name}${suffix}`, row.metric_res, step);
      }
    },
    close() {
      for (const open of writers.values()) open.close();
    },
  };
}

function writeTotals(writer: EventWriter, summary: EpochSummary): void {
  const { step } = summary;
  writer.scalar("_total/loss", summary.trainLoss, step, "Sum over tasks of lossWeight × masked mean loss");
  writer.scalar("_total/learning_rate", summary.learningRate, step);
  writer.scalar("_total/images_per_second", summary.imagesPerSecond, step);
  writer.scalar("_total/gradient_norm", summary.gradientNorm, step, "Mean over the epoch, before clipping");
}
