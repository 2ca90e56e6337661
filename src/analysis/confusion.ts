/** @file Confusion matrix: which classes are taken for which. */
import { at, f32At } from "../arrays.js";
import type { RowMask } from "../flow/masks.js";
import { behaviourOf } from "../tasks/index.js";
import type { ScoredTask } from "./score.js";

/** Rows are labels, columns predictions. */
export interface ConfusionMatrix {
  readonly classes: readonly string[];
  /** [classes][classes]: rows of label i that were answered with j. */
  readonly counts: readonly (readonly number[])[];
  readonly total: number;
}

/**
 * Counts answers that are one of several classes, as scikit-learn's `confusion_matrix`.
 * @param mask rows to count, all of them labelled; default: those of the loss
 * @returns null for tasks whose answers are no classes
 */
export function confusionMatrix(scored: ScoredTask, mask: RowMask = scored.lossMask): ConfusionMatrix | null {
  const { spec } = scored.task;
  const classes = behaviourOf(spec).classes(spec);
  if (classes === null) return null;
  const counts = classes.map(() => classes.map(() => 0));
  let total = 0;
  mask.forEach((counted, row) => {
    if (counted === 0) return;
    const ofLabel = at(counts, scored.labels.answers[row] as number);
    const answer = f32At(scored.decoded, row);
    ofLabel[answer] = at(ofLabel, answer) + 1;
    total++;
  });
  return { classes, counts, total };
}
