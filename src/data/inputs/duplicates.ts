/** @file Pictures that stand in two splits under different paths, by what they show. */
import { at } from "../../arrays.js";
import { SPLITS, type Split } from "../../tasks/evaluation.js";
import { type Dataset, isPixelSource } from "../dataset.js";
import { alikePictures, indexPictures } from "./picture-index.js";

/** A picture of one split that is one of another split, or nearly. */
export interface Duplicate {
  readonly input: string;
  /** As its path stands in the table. */
  readonly picture: string;
  readonly split: Split;
  /** What it is like. */
  readonly other: string;
  readonly other_split: Split;
  /** Whether they are the same pixel by pixel, as the network sees them. */
  readonly kind: "same" | "near";
}

/**
 * Of each picture of valid and test the most alike one of a split before it, if there is one.
 * @throws InterruptedError where the signal fires
 */
export async function duplicatesAcross(dataset: Dataset, signal?: AbortSignal): Promise<Duplicate[]> {
  const found: Duplicate[] = [];
  for (const [input, source] of Object.entries(dataset.inputs)) {
    if (!isPixelSource(source)) continue;
    const seen = new Set<string>();
    // a path in several rows is one picture; in two splits it is a leak by its path, which is told elsewhere
    const places = SPLITS.flatMap((split, part) =>
      Array.from(dataset.splits[split]).flatMap((row) => {
        const path = at(source.paths, row);
        if (seen.has(path)) return [];
        seen.add(path);
        return [{ row, split, part }];
      }),
    );
    const rows = Int32Array.from(places, ({ row }) => row);
    const index = await indexPictures(source, rows, signal);
    for (const { a, b, kind } of alikePictures(
      index,
      places.map(({ part }) => part),
    )) {
      const [other, own] = [at(places, a), at(places, b)];
      found.push({
        ...{ input, picture: at(source.paths, own.row), split: own.split },
        ...{ other: at(source.paths, other.row), other_split: other.split, kind },
      });
    }
  }
  return found;
}
