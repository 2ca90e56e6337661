/** @file What blame comes to, in words. */
import type { Blame } from "./blame.js";

/** A share of a score in points of a hundred: `3.1`. */
export function points(share: number): string {
  const text = (100 * share).toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}

/** The gate whose perfection gains most, in one sentence. */
export function headline({ gates: [best], split }: Blame): string {
  if (best === undefined) return `On ${split} no question is due whose gates could be blamed.`;
  const { gate, gain, tasks } = best;
  const over = tasks === 1 ? "the one task below it" : `the ${tasks} tasks below it, on average`;
  if (gain <= 0)
    return `On ${split} no gate gains anything by becoming perfect: what is lost are the tasks' own errors.`;
  return `Making ${gate} perfect gains ${points(gain)} point${points(gain) === "1.0" ? "" : "s"} over ${over}.`;
}
