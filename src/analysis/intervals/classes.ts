/** @file Metrics of confusion matrices of two classes or more: averages over classes, correlation, agreement. */
import { at, f64At } from "../../arrays.js";
import type { Confusion } from "../../tasks/metrics/decisions.js";
import { Z } from "./quantiles.js";
import {
  FISHER,
  type Interval,
  intervalOn,
  isFlat,
  LOGIT,
  type Spread,
  spreadFromSums,
  spreadOf,
  type Units,
} from "./spread.js";

/** Labels and answers among classes, of entries that count. */
export interface ClassAnswers {
  readonly classes: number;
  /** Places in the task's arrays. */
  readonly entries: Int32Array;
  /** Class of the i-th entry's label. */
  readonly label: (i: number) => number;
  readonly answer: (i: number) => number;
  readonly units: Units;
  /** Entries by label and answer, [classes, classes]; null where an answer is none. */
  readonly counts: () => Float64Array | null;
}

/** Counts entries by label and answer. @returns null where an answer is none */
export function countClasses({
  classes,
  entries,
  label,
  answer,
}: Omit<ClassAnswers, "counts" | "units">): Float64Array | null {
  const counts = new Float64Array(classes * classes);
  for (let i = 0; i < entries.length; i++) {
    const [truth, said] = [label(i), answer(i)];
    if (Number.isNaN(said)) return null;
    count(counts, truth * classes + said, 1);
  }
  return counts;
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

function marginsOf(classes: number, counts: Float64Array): Margins {
  const margins = {
    labelled: new Float64Array(classes),
    answered: new Float64Array(classes),
    both: new Float64Array(classes),
  };
  counts.forEach((own, cell) => {
    const [truth, said] = [Math.floor(cell / classes), cell % classes];
    count(margins.labelled, truth, own);
    count(margins.answered, said, own);
    if (truth === said) count(margins.both, truth, own);
  });
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
  const counts = answers.counts();
  if (counts === null) return null;
  const { classes } = answers;
  const margins = marginsOf(classes, counts);
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
  // what an answer adds depends on nothing but its label and itself
  const influence = counts.map((_, cell) => {
    const [truth, said] = [Math.floor(cell / classes), cell % classes];
    const hit = truth === said ? f64At(derivatives.both, truth) : 0;
    return f64At(derivatives.labelled, truth) + f64At(derivatives.answered, said) + hit;
  });
  const spread = spreadOfCells(answers, counts, influence);
  return isFlat(value, spread) ? null : intervalOn(value, spread, isShare ? LOGIT : FISHER);
}

/** @param influence of the entries in each cell of `counts` */
function spreadOfCells(
  { classes, entries, label, answer, units }: ClassAnswers,
  counts: Float64Array,
  influence: Float64Array,
): Spread {
  if (units.of === null) {
    const sum = (power: number): number =>
      counts.reduce((all, own, cell) => all + own * f64At(influence, cell) ** power, 0);
    return spreadFromSums(entries.length, sum(2), sum(3));
  }
  const own = Float64Array.from(entries, (_, i) => f64At(influence, label(i) * classes + answer(i)));
  return spreadOf(entries, own, units);
}

/** Units by entries. */
function independentShare({ entries, units }: ClassAnswers): number {
  return spreadOf(entries, new Float64Array(entries.length), units).units / entries.length;
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
