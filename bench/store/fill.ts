/** @file Fills a store with runs as training makes them. */
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { openRunStore } from "../../src/storage/run-store.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";

export const TASKS = ["camera_blocked", "door_open", "door_locked", "person_present", "shirt"] as const;
const METRICS = ["loss", "accuracy", "f1_score"] as const;
const SPLITS = ["train", "valid"] as const;

/** Runs of five tasks × three metrics × two splits = 30 curves of ten points, evaluated and finished. */
export function fillStore(dir: string, runs: number): void {
  const store = openRunStore(dir);
  for (let i = 0; i < runs; i++) {
    const { id } = store.createRun({
      project: "bench",
      name: `bench-${i}`,
      config: {
        train: { epochs: 10, batchSize: 16 * 2 ** (i % 3), optimizer: { kind: "adamw", learningRate: 1e-3 } },
        data: { table: "labels.csv", split: { train: 0.8, valid: 0.1, test: 0.1 } },
      },
      environment: { cpu: { model: "bench", count: 2 }, node: process.versions.node },
      tags: i % 10 === 0 ? ["tenth"] : [],
      epochs: 10,
      seed: i,
      backend: "wasm",
    });
    store.appendMetrics(id, curves(i));
    store.replaceEvaluation(id, evaluation(i));
    store.finishRun(id, "finished");
  }
  store.close();
}

function* curves(run: number): Generator<MetricPoint> {
  for (const split of SPLITS) {
    for (const taskPath of TASKS) {
      for (const metricName of METRICS) {
        for (let epoch = 1; epoch <= 10; epoch++) {
          const value = metricValue(run, epoch);
          yield { split, taskPath, metricName, step: 75 * epoch, epoch, value, wallTime: 1_800_000_000 + epoch };
        }
      }
    }
  }
}

function evaluation(run: number): EvaluationRow[] {
  return SPLITS.flatMap((split) =>
    TASKS.flatMap((task_path) =>
      METRICS.map((metric_name): EvaluationRow => {
        const metric_res = metricValue(run, 10);
        return { split, task_path, metric_name, metric_res, num_samples: 300, gates: "truth" };
      }),
    ),
  );
}

/** In [0, 1): evenly spread over the runs. */
function metricValue(run: number, epoch: number): number {
  return ((run * 7919 + epoch) % 10_000) / 10_000;
}
