/** @file Words about options, and about names of classes and labels. */
import { nearestNames } from "../errors.js";
import type { CommonTaskOptions, TokenTaskOptions } from "../flow/graph.js";
import { type OptionRules, TEXT } from "../options.js";

/** Options of every kind of task; loss weights and axes are checked with the task's other options. */
export const COMMON_OPTIONS: OptionRules<CommonTaskOptions & TokenTaskOptions> = {
  column: TEXT,
  lossWeight: null,
  per: null,
};

/** Problem with `per`, which a configuration that was never compiled may hold. */
export function problemWithAxis({ per }: TokenTaskOptions): string | null {
  if (per === undefined || per === "token") return null;
  return `has per: ${JSON.stringify(per)}; write per: "token", or leave it out to ask once per row`;
}

/** First name that occurs twice. */
export function duplicateOf(names: readonly string[]): string | undefined {
  return names.find((name, i) => names.indexOf(name) !== i);
}

/** What to say of a cell that names no known class or label; follows the cell's value. */
export function describeUnknownName(kind: "class" | "label", name: string, known: readonly string[]): string {
  const [nearest] = nearestNames(name, known);
  const hint = nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${nearest}"?`;
  return `names the unknown ${kind} "${name}"; ${hint}`;
}
