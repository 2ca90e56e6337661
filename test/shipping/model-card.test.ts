/** @file What a model card keeps of an evaluation: small beside the weights, and all that judges the model. */
import { describe, expect, it } from "vitest";
import { cardMetrics } from "../../src/shipping/model-card.js";
import { EVALUATED_GATES, type EvaluationRow, SPLITS } from "../../src/tasks/evaluation.js";

const METRICS = ["loss", "accuracy", "f1_score", "precision/red", "recall/red"];

/** Of as many tasks and metrics as the example has, with numbers as they are computed. */
const rows: readonly EvaluationRow[] = SPLITS.flatMap((split, s) =>
  Array.from({ length: 18 }, (_, t) => `camera_not_blocked.door_open.person_regression.task_${t}`).flatMap((path, t) =>
    EVALUATED_GATES.flatMap((gates) =>
      METRICS.map((name, m) => ({
        ...{ split, task_path: path, metric_name: name, num_samples: 812, gates },
        metric_res: (s + t + m + 1) / 37,
        baseline: 1 / 3,
        beats_baseline: true,
        interval: [1 / 7, 6 / 7] as const,
      })),
    ),
  ),
);

const card = cardMetrics(rows);

describe("the metrics of a model card", () => {
  it("leave most of 200 kB to the other files of an export", () => {
    expect(JSON.stringify(card).length).toBeLessThan(0.5 * JSON.stringify(rows).length);
    expect(JSON.stringify(card).length).toBeLessThan(100_000);
  });

  it("are all of test, and of whole tasks on train and valid where questions are rightly asked", () => {
    const named = (row: EvaluationRow) => [row.split, row.gates, row.task_path, row.metric_name].join(" ");
    const kept = rows.filter(
      ({ split, gates, metric_name }) => split === "test" || (gates === "truth" && !metric_name.includes("/")),
    );
    expect(card.map(named)).toEqual(kept.map(named));
    expect(new Set(card.map(({ split }) => split))).toEqual(new Set(SPLITS));
  });

  it("have six digits", () => {
    expect(card[0]).toMatchObject({ metric_res: 0.027027, baseline: 0.333333, interval: [0.142857, 0.857143] });
  });

  it("are all of valid where there is no test", () => {
    const trained = cardMetrics(rows.filter(({ split }) => split !== "test"));
    expect(trained.filter(({ split }) => split === "valid").length).toBe(18 * 3 * METRICS.length);
  });

  it("stay undefined where they are", () => {
    const row: EvaluationRow = {
      ...{ split: "test", task_path: "a", metric_name: "f1_score", metric_res: null, num_samples: 0, gates: "truth" },
    };
    expect(cardMetrics([row])).toEqual([row]);
  });
});
