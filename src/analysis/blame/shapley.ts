/**
 * @file A gap shared out over those who make it: Shapley, "A Value for n-Person Games" (1953). A share is the mean, over
 * all orders in which the players could be corrected, of what correcting this one then changes.
 */
import { at, f64At } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";

/**
 * Exact shares.
 * @param values of every coalition, by the set of its players as bits. Shape [2^players]
 * @returns one share per player; they sum to the value of all together less that of none
 */
export function shapleyShares(values: Float64Array, players: number): number[] {
  const weights = coalitionWeights(players);
  const sizes = bitCounts(values.length);
  return Array.from({ length: players }, (_, player) => {
    const bit = 1 << player;
    let share = 0;
    for (let set = 0; set < values.length; set++) {
      if ((set & bit) !== 0) continue;
      share += at(weights, at(sizes, set)) * (f64At(values, set | bit) - f64At(values, set));
    }
    return share;
  });
}

/** Share of the orders in which a player comes right after a certain set of `size` others: size!·(n−size−1)!/n!. */
function coalitionWeights(players: number): number[] {
  let binomial = 1;
  return Array.from({ length: players }, (_, size) => {
    const weight = 1 / (players * binomial);
    binomial = (binomial * (players - 1 - size)) / (size + 1);
    return weight;
  });
}

function bitCounts(sets: number): Uint8Array {
  const counts = new Uint8Array(sets);
  for (let set = 1; set < sets; set++) counts[set] = at(counts, set >> 1) + (set & 1);
  return counts;
}

/** Shares that are estimated. */
export interface SampledShares {
  readonly shares: readonly number[];
  /** Standard error of each. */
  readonly errors: readonly number[];
}

/**
 * Shares by random orders of correcting (Castro, Gómez & Tejada, "Polynomial calculation of the Shapley value based on
 * sampling", 2009). They sum to what exact ones do, because every order does.
 * @param value of the players whose bytes are 1
 */
export function sampledShares(
  players: number,
  value: (corrected: Uint8Array) => number,
  orders: number,
  seed = "blame",
): SampledShares {
  const random = createRandom(seed);
  const sums = new Float64Array(players);
  const squares = new Float64Array(players);
  const order = Array.from({ length: players }, (_, player) => player);
  const none = value(new Uint8Array(players));
  for (let i = 0; i < orders; i++) {
    random.shuffle(order);
    const corrected = new Uint8Array(players);
    let before = none;
    for (const player of order) {
      corrected[player] = 1;
      const after = value(corrected);
      sums[player] = f64At(sums, player) + after - before;
      squares[player] = f64At(squares, player) + (after - before) ** 2;
      before = after;
    }
  }
  const shares = Array.from(sums, (sum) => sum / orders);
  const errors = shares.map((mean, player) => {
    const variance = Math.max(0, f64At(squares, player) / orders - mean * mean);
    return Math.sqrt(variance / Math.max(1, orders - 1));
  });
  return { shares, errors };
}
