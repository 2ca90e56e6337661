/** @file Confident learning: which labels a network that never saw them is confident to be others. */
import { at } from "../../arrays.js";

/** What the labels of one task come to. */
export interface ConfidentJoint {
  /** Mean probability of each value over the rows that are labelled with it; NaN where there is none. */
  readonly thresholds: readonly number[];
  /** Rows by label and by the value they are confidently counted as, [values, values]. */
  readonly counts: readonly (readonly number[])[];
  /** Of each row whether it is counted as another value than its label. */
  readonly isIssue: readonly boolean[];
  /** Share of the counted rows that are counted as another value. */
  readonly errorRate: number;
}

/**
 * The confident joint: a row counts as value j where its probability of j reaches the mean probability of j over the rows
 * labelled j, and as the most probable one of several such. Northcutt, Jiang & Chuang, "Confident Learning: Estimating
 * Uncertainty in Dataset Labels", JAIR 70 (2021), equations 1 and 2.
 * @param probabilities of each value, per row; of a network that was not trained on the row
 * @param labels per row, 0 to values − 1
 */
export function confidentJoint(
  probabilities: readonly (readonly number[])[],
  labels: readonly number[],
  values: number,
): ConfidentJoint {
  const sums = new Array<number>(values).fill(0);
  const rows = new Array<number>(values).fill(0);
  labels.forEach((label, row) => {
    sums[label] = at(sums, label) + at(at(probabilities, row), label);
    rows[label] = at(rows, label) + 1;
  });
  const thresholds = sums.map((sum, value) => (rows[value] === 0 ? Number.NaN : sum / at(rows, value)));
  const counts = Array.from({ length: values }, () => new Array<number>(values).fill(0));
  let [counted, issues] = [0, 0];
  const isIssue = labels.map((label, row) => {
    const value = confidentValue(at(probabilities, row), thresholds);
    if (value === null) return false;
    const own = at(counts, label);
    own[value] = at(own, value) + 1;
    counted++;
    if (value !== label) issues++;
    return value !== label;
  });
  return { thresholds, counts, isIssue, errorRate: counted === 0 ? 0 : issues / counted };
}

/** The most probable of the values whose threshold is reached; null where there is none. */
function confidentValue(probabilities: readonly number[], thresholds: readonly number[]): number | null {
  let best: number | null = null;
  probabilities.forEach((probability, value) => {
    // a value that no row is labelled with has no threshold, which is never reached
    if (!(probability >= at(thresholds, value))) return;
    if (best === null || probability > at(probabilities, best)) best = value;
  });
  return best;
}
