/** @file How answers are judged one by one, for comparing two runs. */
import { f32At } from "../arrays.js";
import type { TaskSpec } from "../flow/graph.js";
import { answerWidth } from "../flow/masks.js";
import type { Judgement } from "./behaviour.js";

/** Right where all known numbers of the label are answered. */
function decision(name: "accuracy" | "exact_match"): Judgement<TaskSpec> {
  return {
    name,
    isDecision: true,
    higherIsBetter: true,
    ranksSamples: false,
    valueAt({ spec, decoded, labels: { answers } }, row) {
      const width = answerWidth(spec);
      for (let at = row * width; at < (row + 1) * width; at++) {
        if (!Number.isNaN(answers[at]) && decoded[at] !== answers[at]) return 0;
      }
      return 1;
    },
  };
}

/** One answer that is right or wrong. */
export const byAccuracy = decision("accuracy");

/** Right where every known label is. */
export const byExactMatch = decision("exact_match");

/** |answer − label| in label units. */
export const byAbsoluteError: Judgement<TaskSpec> = {
  name: "absolute_error",
  isDecision: false,
  higherIsBetter: false,
  ranksSamples: false,
  valueAt: ({ decoded, labels }, row) => Math.abs(f32At(decoded, row) - f32At(labels.answers, row)),
};

/** The loss itself, where nothing else is known of an answer. */
export const byLoss: Judgement<TaskSpec> = {
  name: "loss",
  isDecision: false,
  higherIsBetter: false,
  ranksSamples: false,
  valueAt: (_scored, _row, loss) => loss,
};
