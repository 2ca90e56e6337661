/** @file Several runs compared with one: p-values adjusted for all that is tested at once. */
import { holm } from "../statistics/holm.js";
import type { SampleComparison } from "./compare-samples.js";

/**
 * The same comparisons, each with `p_holm` adjusted over the tasks of all of them: with three runs or more every run is
 * one more chance of a difference that is none.
 */
export function adjustTogether(comparisons: readonly SampleComparison[]): SampleComparison[] {
  const adjusted = holm(comparisons.flatMap(({ tasks }) => tasks.map(({ p_value }) => p_value)));
  let next = 0;
  return comparisons.map((comparison) => ({
    ...comparison,
    tasks: comparison.tasks.map((task) => ({ ...task, p_holm: adjusted[next++] ?? null })),
  }));
}
