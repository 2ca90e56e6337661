/** @file Numbers and categories as a network sees them. */
import { at } from "../arrays.js";
import type { CategoricalInput, NumericInput } from "./document.js";

/** One number of a vector; a missing one (NaN) takes the mean. @param i its place in the vector */
export function standardized(
  { standardize, statistics }: Pick<NumericInput, "standardize" | "statistics">,
  value: number,
  i: number,
): number {
  if (statistics === null) return value;
  const mean = at(statistics.mean, i);
  const known = Number.isNaN(value) ? mean : value;
  return standardize ? (known - mean) / at(statistics.deviation, i) : known;
}

/** Places of categories, from 1, in whatever Unicode form they are written; the form of the category itself wins. */
export function categoryPlaces({ categories }: Pick<CategoricalInput, "categories">): ReadonlyMap<string, number> {
  return new Map([
    ...categories.map((one, i) => [one.normalize("NFC"), i + 1] as const),
    ...categories.map((one, i) => [one, i + 1] as const),
  ]);
}

/** The place of a category, from 1; undefined where there is none of that name. */
export function placeOfCategory(places: ReadonlyMap<string, number>, cell: unknown): number | undefined {
  const name = String(cell).trim();
  return places.get(name) ?? places.get(name.normalize("NFC"));
}
