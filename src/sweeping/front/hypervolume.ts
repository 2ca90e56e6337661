/** @file How much of the space of objectives some points dominate. Lower is better. */
import { dominates } from "./pareto.js";

/**
 * The volume between the points and a reference that is worse than all of them; points beyond it count nothing. By
 * slices along the last objective (Zitzler 1999; While et al. 2006), exact.
 */
export function hypervolume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const within = points.filter((point) => point.every((value, axis) => value < (reference[axis] ?? 0)));
  return volume(
    within.filter((point) => !within.some((other) => dominates(other, point))),
    reference,
  );
}

function volume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const last = reference.length - 1;
  const end = reference[last] ?? 0;
  if (last === 0) return points.length === 0 ? 0 : end - Math.min(...points.map(([value = 0]) => value));
  const sorted = points.toSorted((a, b) => (a[last] ?? 0) - (b[last] ?? 0));
  return sorted.reduce((sum, point, i) => {
    const depth = (sorted[i + 1]?.[last] ?? end) - (point[last] ?? 0);
    if (depth === 0) return sum;
    const slice = sorted.slice(0, i + 1).map((one) => one.slice(0, last));
    return sum + depth * volume(slice, reference.slice(0, last));
  }, 0);
}
