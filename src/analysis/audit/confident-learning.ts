/** @file Confident learning: which labels a network that never saw them is confident to be others. */
import { at } from "../../arrays.js";

/** What the labels of one task come to. */
export interface ConfidentJoint {
  /** Mean probability of each value over the rows that are labelled with it; NaN where there is none. */
  readonly thresholds: readonly number[];
  /** Rows by label and by the value they are confidently counted as, [values, values]. */
  readonly counts: readonly (readonly number[])[];
  /** 1 where a row is counted as another value than its label. Shape [rows]. */
  readonly isIssue: Uint8Array;
  /** Share of the counted rows that are counted as another value. */
  readonly errorRate: number;
}

/**
 * The confident joint: a row counts as value j where its probability of j reaches the mean probability of j over the rows
 * labelled j, and as the most probable one of several such. Northcutt, Jiang & Chuang, "Confident Learning: Estimating
 * Uncertainty in Dataset Labels", JAIR 70 (2021), equations 1 and 2.
 * @param probability of a value, in one of the rows; of a network that was not trained on the row
 * @param labels per row, 0 to values − 1
 */
export function confidentJoint(
  probability: (row: number, value: number) => number,
  labels: ArrayLike<number>,
  values: number,
): ConfidentJoint {
  const sums = new Array<number>(values).fill(0);
  const rows = new Array<number>(values).fill(0);
  for (let row = 0; row < labels.length; row++) {
    const label = at(labels, row);
    sums[label] = at(sums, label) + probability(row, label);
    rows[label] = at(rows, label) + 1;
  }
  const thresholds = sums.map((sum, value) => (rows[value] === 0 ? Number.NaN : sum / at(rows, value)));
  const counts = Array.from({ length: values }, () => new Array<number>(values).fill(0));
  let [counted, issues] = [0, 0];
  const isIssue = new Uint8Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const value = confidentValue(probability, row, thresholds);
    if (value < 0) continue;
    const label = at(labels, row);
    const own = at(counts, label);
    own[value] = at(own, value) + 1;
    counted++;
    if (value === label) continue;
    issues++;
    isIssue[row] = 1;
  }
  return { thresholds, counts, isIssue, errorRate: counted === 0 ? 0 : issues / counted };
}

/** The most probable of the values whose threshold is reached; −1 where there is none. */
function confidentValue(
  probability: (row: number, value: number) => number,
  row: number,
  thresholds: readonly number[],
): number {
  let [best, most] = [-1, Number.NaN];
  for (let value = 0; value < thresholds.length; value++) {
    const own = probability(row, value);
    // a value that no row is labelled with has no threshold, which is never reached
    if (!(own >= at(thresholds, value))) continue;
    if (best >= 0 && !(own > most)) continue;
    [best, most] = [value, own];
  }
  return best;
}
