/** @file Words about options, and about names of classes and labels. */
import { nearestNames, shorten } from "../errors.js";
import type { CommonTaskOptions, ElementTaskOptions, TokenTaskOptions } from "../flow/graph.js";
import { type OptionRules, TEXT } from "../options.js";

/** Options of every kind of task; loss weights and axes are checked with the task's other options. */
export const COMMON_OPTIONS: OptionRules<CommonTaskOptions & TokenTaskOptions> = {
  column: TEXT,
  lossWeight: null,
  per: null,
};

/** Options of kinds that may be asked of pixels. */
export const ELEMENT_OPTIONS: OptionRules<CommonTaskOptions & Omit<ElementTaskOptions, "size">> = {
  ...COMMON_OPTIONS,
  ignore: {
    accepts: (value) => typeof value === "number" && Number.isFinite(value),
    expected: "a number, the value of pixels without a label",
  },
};

/** Problem with `per`, which a configuration that was never compiled may hold. */
export function problemWithAxis({ per }: ElementTaskOptions): string | null {
  if (per === undefined || per === "token") return null;
  const hint =
    per === "pixel" ? "only binary, classification and regression tasks are asked of pixels; write" : "write";
  return `has per: ${JSON.stringify(per)}; ${hint} per: "token", or leave it out to ask once per row`;
}

/** The same of kinds that may be asked of pixels, too. */
export function problemWithElements({ per, ignore }: ElementTaskOptions): string | null {
  if (ignore !== undefined && per !== "pixel") {
    return 'has ignore, a value of pixels without a label; add per: "pixel", or remove it';
  }
  if (per === undefined || per === "token" || per === "pixel") return null;
  return `has per: ${JSON.stringify(per)}; write per: "token" or per: "pixel", or leave it out to ask once per row`;
}

/** Cells mean "none of the labels" by it. */
export const NO_LABEL = "none";

/** What a name is a name of. */
type NameKind = "class" | "label" | "level";

/** What is wrong with names of classes, labels or levels; follows the task's name. */
export function problemWithNames(kind: NameKind, names: readonly string[]): string | null {
  const bad = names.find((name) => typeof name !== "string" || name.trim() === "" || name.trim() !== name);
  if (bad !== undefined) return `has the ${kind} ${JSON.stringify(bad)}; write a text without spaces around it`;
  const twice = duplicateOf(names);
  if (twice !== undefined) return `names the ${kind} "${twice}" twice`;
  const alike = duplicateOf(names.map((name) => name.normalize("NFC")));
  if (alike === undefined) return null;
  return `names the ${kind} "${alike}" twice, in two spellings that look the same (Unicode NFC and NFD); keep one`;
}

/** Position of a name, in whatever Unicode form it is written; -1 where there is none. */
export function positionOf(names: readonly string[], name: string): number {
  const exact = names.indexOf(name);
  if (exact >= 0 || /^[\x20-\x7e]*$/.test(name)) return exact;
  const normal = name.normalize("NFC");
  return names.findIndex((one) => one.normalize("NFC") === normal);
}

/** First name that occurs twice. */
export function duplicateOf(names: readonly string[]): string | undefined {
  return names.find((name, i) => names.indexOf(name) !== i);
}

/** What to say of a cell that names no known class or label; follows the cell's value. */
export function describeUnknownName(kind: NameKind, name: string, known: readonly string[]): string {
  const [nearest] = nearestNames(name, known);
  const hint = nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${nearest}"?`;
  return `names the unknown ${kind} "${shorten(name)}"; ${hint}`;
}
