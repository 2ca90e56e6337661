/** @file The smoothing of TensorBoard's scalar charts. */
import { isGap, type PlotPoint } from "./curve.js";

/**
 * An exponential moving average without the bias towards zero of its first values: with s₀ = 0 and
 * sₙ = w sₙ₋₁ + (1 − w) yₙ, the n-th point is sₙ / (1 − wⁿ), which is how TensorBoard smooths (its `resmoothDataset`;
 * Kingma & Ba 2015 correct Adam's moments in the same way). Gaps stay and count for nothing; a constant curve stays
 * exactly as it is.
 * @param weight of what came before, in [0, 1): 0 changes nothing
 */
export function smooth(points: readonly PlotPoint[], weight: number): PlotPoint[] {
  const first = points[0]?.y;
  if (weight === 0 || points.every(({ y }) => y === first)) return [...points];
  let [average, remaining] = [0, 1];
  return points.map((point) => {
    if (isGap(point)) return point;
    average = average * weight + (1 - weight) * point.y;
    remaining *= weight;
    return { x: point.x, y: average / (1 - remaining) };
  });
}
