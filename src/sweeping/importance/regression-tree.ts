/** @file A regression tree over the unit cube, as the boxes of its leaves. */
import { at } from "../../arrays.js";
import type { Random } from "../../data/rng.js";

/** Part of the unit cube in which a tree says one value. */
export interface Leaf {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly value: number;
}

export interface Sample {
  /** Coordinates in [0, 1]. */
  readonly place: readonly number[];
  readonly value: number;
}

/** Of the coordinates so many are tried at each split (Hutter et al. 2014 take five sixths). */
const TRIED_SHARE = 5 / 6;

/** Grown until every leaf has one value (Breiman, Random forests, 2001). */
export function growTree(samples: readonly Sample[], random: Random): Leaf[] {
  const dimensions = samples[0]?.place.length ?? 0;
  const cube = { low: new Array<number>(dimensions).fill(0), high: new Array<number>(dimensions).fill(1) };
  const leaves: Leaf[] = [];
  const open = [{ samples, ...cube }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { low, high } = node;
    const split = bestSplit(node.samples, random);
    if (split === null) {
      leaves.push({ low, high, value: mean(node.samples) });
      continue;
    }
    const { axis, threshold } = split;
    const isLeft = ({ place }: Sample): boolean => at(place, axis) <= threshold;
    open.push(
      { samples: node.samples.filter(isLeft), low, high: high.with(axis, threshold) },
      { samples: node.samples.filter((sample) => !isLeft(sample)), low: low.with(axis, threshold), high },
    );
  }
  return leaves;
}

interface Split {
  readonly axis: number;
  readonly threshold: number;
}

/** The split that leaves the least squared error; null where nothing is to be split. */
function bestSplit(samples: readonly Sample[], random: Random): Split | null {
  const [first] = samples;
  if (first === undefined || samples.every(({ value }) => value === first.value)) return null;
  const axes = random.shuffle(first.place.map((_, axis) => axis));
  // one along which all are equal splits nothing: it takes nobody's turn
  const apart = axes.filter((axis) => samples.some(({ place }) => at(place, axis) !== at(first.place, axis)));
  let best: (Split & { readonly gain: number }) | null = null;
  for (const axis of apart.slice(0, Math.ceil(TRIED_SHARE * first.place.length))) {
    const sorted = samples.toSorted((a, b) => at(a.place, axis) - at(b.place, axis));
    const total = sorted.reduce((sum, { value }) => sum + value, 0);
    let left = 0;
    for (let i = 1; i < sorted.length; i++) {
      left += at(sorted, i - 1).value;
      const [before, after] = [at(at(sorted, i - 1).place, axis), at(at(sorted, i).place, axis)];
      if (before === after) continue;
      const right = total - left;
      // squared error falls by as much as this grows
      const gain = left ** 2 / i + right ** 2 / (sorted.length - i);
      if (best === null || gain > best.gain) best = { axis, threshold: (before + after) / 2, gain };
    }
  }
  return best;
}

function mean(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0) / Math.max(1, samples.length);
}
