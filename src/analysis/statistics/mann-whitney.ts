/** @file The test of Mann, Whitney and Wilcoxon: is one sample mostly above another? */
import { f64At, i32At } from "../../arrays.js";
import { normalTail } from "./chi-square.js";

/**
 * The share of pairs in which the second number is above the first, ties as half (the area under the ROC curve), and the
 * p-value of its being above ½ by chance: normal, with ties and continuity corrected.
 * Source: Mann & Whitney, Annals of Mathematical Statistics 18 (1947).
 */
export function mannWhitney(a: Float64Array, b: Float64Array): { readonly auc: number; readonly p: number } {
  const [m, n] = [a.length, b.length];
  const all = Float64Array.from([...a, ...b]);
  const order = Int32Array.from(all, (_, i) => i).sort((i, j) => f64At(all, i) - f64At(all, j));
  let [rankSum, ties] = [0, 0];
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && f64At(all, i32At(order, to)) === f64At(all, i32At(order, from))) to++;
    const rank = (from + to + 1) / 2;
    for (let i = from; i < to; i++) if (i32At(order, i) >= m) rankSum += rank;
    const tied = to - from;
    ties += tied ** 3 - tied;
    from = to;
  }
  const above = rankSum - (n * (n + 1)) / 2;
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  const p = variance <= 0 ? 1 : normalTail((above - (m * n) / 2 - 0.5) / Math.sqrt(variance));
  return { auc: above / (m * n), p };
}
