/** @file Pareto fronts: of several objectives, what nothing else is better than. Lower is better. */

/** Whether a point is nowhere worse than another one, and somewhere better. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, axis) => value <= (b[axis] ?? 0)) && a.some((value, axis) => value < (b[axis] ?? 0));
}

/**
 * Indices of the points by fronts: the first are those that no other dominates, the next those that only the first do,
 * and so on (nondominated sorting: Deb et al., NSGA-II, 2002).
 */
export function fronts(points: readonly (readonly number[])[]): number[][] {
  const found: number[][] = [];
  let left = points.map((_, i) => i);
  while (left.length > 0) {
    const front = left.filter((i) => !left.some((j) => dominates(points[j] ?? [], points[i] ?? [])));
    found.push(front);
    left = left.filter((i) => !front.includes(i));
  }
  return found;
}
