/** @file Metrics of confusion matrices of two classes or more: averages over classes, correlation, agreement. */
import { at, f64At } from "../../arrays.js";
import type { Confusion } from "../../tasks/metrics/decisions.js";
import { Z } from "./quantiles.js";
import { FISHER, type Interval, intervalOn, isFlat, LOGIT, spreadOf, type Units } from "./spread.js";

/** Labels and answers among classes, of entries that count. */
export interface ClassAnswers {
  readonly classes: number;
  /** Places in the task's arrays. */
  readonly entries: Int32Array;
  /** Class of the i-th entry's label. */
  readonly label: (i: number) => number;
  readonly answer: (i: number) => number;
  readonly units: Units;
}

/** Of each class how often it is the label, the answer, and both. */
interface Margins {
  readonly labelled: Float64Array;
  readonly answered: Float64Array;
  readonly both: Float64Array;
}

/** A metric of classes each against the rest. */
export type ClassMetric = (classes: readonly Confusion[]) => number;

const count = (counts: Float64Array, index: number, by: number): void => {
  counts[index] = f64At(counts, index) + by;
};

function marginsOf({ classes, entries, label, answer }: ClassAnswers): Margins | null {
  const margins = {
    labelled: new Float64Array(classes),
    answered: new Float64Array(classes),
    both: new Float64Array(classes),
  };
  for (let i = 0; i < entries.length; i++) {
    const [truth, said] = [label(i), answer(i)];
    if (Number.isNaN(said)) return null;
    count(margins.labelled, truth, 1);
    count(margins.answered, said, 1);
    if (truth === said) count(margins.both, truth, 1);
  }
  return margins;
}

function confusionsOf({ labelled, answered, both }: Margins): Confusion[] {
  const total = labelled.reduce((sum, own) => sum + own, 0);
  return Array.from(both, (truePositives, c) => {
    const falsePositives = f64At(answered, c) - truePositives;
    const falseNegatives = f64At(labelled, c) - truePositives;
    const trueNegatives = total - truePositives - falsePositives - falseNegatives;
    return { truePositives, falsePositives, falseNegatives, trueNegatives };
  });
}

/**
 * Interval of a metric of classes by the delta method: what an answer adds to it is the metric's derivative by the
 * margins that the answer is part of. Averages are symmetric on the logit scale, correlation and agreement on Fisher's.
 * Where every answer is right there is no spread, and the interval reaches to the metric of as many wrong answers as
 * Wilson's interval of each class allows.
 */
export function classInterval(metric: ClassMetric, answers: ClassAnswers, isShare: boolean): Interval | null {
  const margins = marginsOf(answers);
  if (margins === null) return null;
  const value = metric(confusionsOf(margins));
  if (Number.isNaN(value)) return null;
  // derivatives are of no use there: half of the metric's neighbours are none
  if (margins.both.every((own, c) => own === f64At(margins.labelled, c))) {
    return perfectInterval(metric, margins, independentShare(answers));
  }
  const derivatives = {
    labelled: derivativesOf(metric, margins, "labelled"),
    answered: derivativesOf(metric, margins, "answered"),
    both: derivativesOf(metric, margins, "both"),
  };
  const { entries, label, answer, units } = answers;
  const influence = (i: number): number => {
    const [truth, said] = [label(i), answer(i)];
    const hit = truth === said ? f64At(derivatives.both, truth) : 0;
    return f64At(derivatives.labelled, truth) + f64At(derivatives.answered, said) + hit;
  };
  const spread = spreadOf(entries, influence, units);
  return isFlat(value, spread) ? null : intervalOn(value, spread, isShare ? LOGIT : FISHER);
}

/** Units by entries. */
function independentShare({ entries, units }: ClassAnswers): number {
  return spreadOf(entries, () => 0, units).units / entries.length;
}

/** Central differences, of margins that occur. */
function derivativesOf(metric: ClassMetric, margins: Margins, which: keyof Margins): Float64Array {
  return margins[which].map((own, c) => {
    if (own === 0) return 0;
    const step = 1e-4 * own;
    const moved = (by: number): number =>
      metric(confusionsOf({ ...margins, [which]: margins[which].with(c, own + by) }));
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

/** From the metric with wrong answers, spread over the other classes by how often these are labelled, up to 1. */
function perfectInterval(metric: ClassMetric, { labelled }: Margins, unitsPerEntry: number): Interval | null {
  const total = labelled.reduce((sum, own) => sum + own, 0);
  const wrong = labelled.map((own) => (own * Z * Z) / (own * unitsPerEntry + Z * Z));
  if (labelled.some((own) => own === total)) return null;
  const answered = labelled.map((own, c) =>
    wrong.reduce(
      (sum, lost, k) => (k === c ? sum : sum + (lost * own) / (total - at(labelled, k))),
      own - at(wrong, c),
    ),
  );
  const low = metric(confusionsOf({ labelled, answered, both: labelled.map((own, c) => own - at(wrong, c)) }));
  return [low, 1];
}
