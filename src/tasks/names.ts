/** @file Words about names of classes and labels. */
import { nearestNames } from "../errors.js";

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
