/** @file Number columns that measure a place on the picture: sides of boxes and points. */
import { f64At } from "../arrays.js";
import type { PictureSize } from "./pictures.js";
import type { TaskRole } from "./task-role.js";

/** What a number measures on the picture, and in which unit. */
export interface Place {
  readonly measures: "x" | "y" | "width" | "height";
  /** `pixels` of the row's own picture, or a `fraction` of its size; null: neither fits the pictures that were measured. */
  readonly unit: "pixels" | "fraction" | null;
}

type Measure = Place["measures"];

/** Last words of names of columns, each list from the upper left. */
const WORDS: readonly { readonly words: RegExp; readonly measures: Measure }[] = [
  {
    words:
      /(^|[_\s.-])(x|x[_-]?[0-4]|x[_-]?min|x[_-]?max|min[_-]?x|max[_-]?x|cx|center[_-]?x|x[_-]?center|left|right)$/i,
    measures: "x",
  },
  {
    words:
      /(^|[_\s.-])(y|y[_-]?[0-4]|y[_-]?min|y[_-]?max|min[_-]?y|max[_-]?y|cy|center[_-]?y|y[_-]?center|top|bottom)$/i,
    measures: "y",
  },
  { words: /(^|[_\s.-])(w|width)$/i, measures: "width" },
  { words: /(^|[_\s.-])(h|height)$/i, measures: "height" },
];

/** A regression that measures something on the picture. */
export interface Measured {
  readonly role: TaskRole;
  readonly measures: Measure;
}

/** Regressions by the thing that they measure, with an x and a y at least. */
export function groupsOf(regressions: readonly TaskRole[]): ReadonlyMap<string, readonly Measured[]> {
  const groups = new Map<string, Measured[]>();
  for (const role of regressions) {
    const found = WORDS.find(({ words }) => words.test(role.column));
    if (found === undefined) continue;
    const thing = role.column.replace(found.words, "");
    groups.set(thing, [...(groups.get(thing) ?? []), { role, measures: found.measures }]);
  }
  const has = (group: readonly Measured[], measure: Measure) => group.some(({ measures }) => measures === measure);
  return new Map([...groups].filter(([, group]) => has(group, "x") && has(group, "y")));
}

/**
 * Places among the regressions, by column.
 * @param sizes of some rows' pictures, by which the unit is told
 */
export function placesOf(regressions: readonly TaskRole[], sizes: readonly PictureSize[]): ReadonlyMap<string, Place> {
  return new Map(
    [...groupsOf(regressions).values()].flatMap((group) => {
      const unit = unitOf(group, sizes);
      return group.map(({ role, measures }) => [role.column, { measures, unit }] as const);
    }),
  );
}

// labels are often rounded outwards
const TOLERANCE = 1e-3;

export function isWithin(value: number, size: number): boolean {
  return value >= -TOLERANCE * size && value <= (1 + TOLERANCE) * size;
}

/** Null where the numbers are neither. */
export function unitOf(group: readonly Measured[], sizes: readonly PictureSize[]): Place["unit"] {
  const ranges = group.map(({ role }) => role.range ?? [0, Number.NaN]);
  if (!ranges.every(([low]) => low >= 0)) return null;
  if (ranges.every(([, high]) => high <= 1)) return "fraction";
  const fits = group.every(({ role, measures }) =>
    sizes.every(({ row, width, height }) => {
      const value = f64At(role.labels.values, row);
      return Number.isNaN(value) || value <= (measures === "x" || measures === "width" ? width : height);
    }),
  );
  return fits && sizes.length > 0 ? "pixels" : null;
}

/** Bounds of a number that was seen in this range: the next round numbers outside of it. */
export function boundsOf([low, high]: readonly [number, number]): readonly [min: number, max: number] {
  const span = high > low ? high - low : Math.max(1, Math.abs(high));
  const step = 10 ** Math.floor(Math.log10(span) - 1);
  const round = (value: number) => Number(value.toPrecision(12));
  const min = low >= 0 && low < span ? 0 : round(Math.floor(low / step) * step);
  const max = round(Math.ceil(high / step) * step);
  return [min, max > min ? max : min + 1];
}
