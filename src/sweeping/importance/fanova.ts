/** @file How much of what trials differ by is due to each parameter (functional ANOVA: Hutter, Hoos & Leyton-Brown, ICML 2014). */
import { at } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";
import { growTree, type Leaf, type Sample } from "./regression-tree.js";

const TREES = 64;

/**
 * The share of a random forest's variance over the whole space that each coordinate explains by itself, the others
 * averaged out; the rest of 1 is due to several together. Exact for each tree: a leaf is a box, over which integrals are
 * products.
 * @returns by coordinate; all 0 where the values do not differ
 */
export function mainEffects(samples: readonly Sample[]): number[] {
  const dimensions = samples[0]?.place.length ?? 0;
  const random = createRandom("fanova");
  const sums = new Array<number>(dimensions).fill(0);
  let trees = 0;
  for (let tree = 0; tree < TREES; tree++) {
    const drawn = samples.map(() => at(samples, random.int(samples.length)));
    const leaves = growTree(drawn, random);
    const centre = integral(leaves, ({ value }) => value);
    const variance = integral(leaves, ({ value }) => (value - centre) ** 2);
    if (!(variance > 0)) continue;
    trees += 1;
    sums.forEach((sum, axis) => {
      sums[axis] = sum + effectOf(leaves, axis, centre) / variance;
    });
  }
  return sums.map((sum) => (trees === 0 ? 0 : sum / trees));
}

function integral(leaves: readonly Leaf[], of: (leaf: Leaf) => number): number {
  return leaves.reduce((sum, leaf) => sum + volumeOf(leaf) * of(leaf), 0);
}

function volumeOf({ low, high }: Leaf): number {
  return low.reduce((volume, start, axis) => volume * (at(high, axis) - start), 1);
}

/** The variance of a tree's mean over all other coordinates. */
function effectOf(leaves: readonly Leaf[], axis: number, centre: number): number {
  const edges = [...new Set(leaves.flatMap(({ low, high }) => [at(low, axis), at(high, axis)]))].sort((a, b) => a - b);
  return edges.slice(1).reduce((sum, end, i) => {
    const start = at(edges, i);
    const marginal = leaves.reduce((mean, leaf) => {
      const [low, high] = [at(leaf.low, axis), at(leaf.high, axis)];
      const covers = low <= start && high >= end;
      return covers ? mean + (volumeOf(leaf) / (high - low)) * leaf.value : mean;
    }, 0);
    return sum + (end - start) * (marginal - centre) ** 2;
  }, 0);
}
