/** @file Areas under the ROC and the precision-recall curve: what every answer adds to them, in the order of scores. */
import { at, f32At, f64At, i32At, u8At } from "../../arrays.js";
import { bytes, doubles, floats, inScratch, integers } from "../scratch.js";
import { Z } from "./quantiles.js";
import { type Interval, intervalOn, LOGIT, type Spread, spreadFromSums } from "./spread.js";

/** Known answers to one yes-or-no question. */
interface Scores {
  /** 1 for yes. */
  readonly truths: Uint8Array;
  readonly scores: Float32Array;
}

/** A metric of an order, and its derivative by the weight of each answer. */
export interface Area {
  readonly value: number;
  /** [answers], computed when it is asked for: writing by place is most of the work. */
  readonly influence: () => Float64Array;
  /** Of single answers. */
  readonly spread: () => Spread;
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const LAST = DIGITS - 1;
const SHIFTS = [0, DIGIT_BITS, 2 * DIGIT_BITS] as const;
const SIGN = 0x80000000;

/** Answers in the order of their scores, from the lowest up. */
export interface ScoreOrder {
  /** Places of the answers. */
  readonly order: Int32Array;
  /** Runs of equal scores: where each one begins, and at last the end. */
  readonly steps: Int32Array;
  /** Truths in that order: areas walk over them more than once, and reading them by place would miss the cache. */
  readonly truths: Uint8Array;
}

/** A radix sort on the scores' bits, as `sortByScore` is. NaN is not allowed. */
export function scoreOrder(scores: Scores): ScoreOrder {
  const { length } = scores.scores;
  const found = { order: integers(length), steps: integers(length + 1), truths: bytes(length) };
  return { ...found, steps: inScratch(() => sortInto(found, scores)) };
}

/** @returns the part of `steps` that is of use */
function sortInto(found: ScoreOrder, { scores, truths }: Scores): Int32Array {
  const { length } = scores;
  const keyFloats = floats(length);
  // adding zero turns −0 into 0, so that both are one score
  for (let i = 0; i < length; i++) keyFloats[i] = f32At(scores, i) + 0;
  let keys = new Int32Array(keyFloats.buffer, keyFloats.byteOffset, length);
  let order = integers(length);
  // of each digit, how many keys have it, behind it
  const counts = SHIFTS.map(() => new Int32Array(DIGITS + 1)) as [Int32Array, Int32Array, Int32Array];
  const [low, middle, high] = counts;
  for (let i = 0; i < length; i++) {
    const bits = i32At(keys, i);
    const key = bits & SIGN ? ~bits : bits | SIGN;
    keys[i] = key;
    order[i] = i * 2 + u8At(truths, i);
    const [a, b, c] = [key & LAST, (key >>> DIGIT_BITS) & LAST, key >>> (2 * DIGIT_BITS)];
    low[a + 1] = i32At(low, a + 1) + 1;
    middle[b + 1] = i32At(middle, b + 1) + 1;
    high[c + 1] = i32At(high, c + 1) + 1;
  }
  // keys move with their places, and truths as the lowest bit of these: reading them by place would miss the cache
  // after three passes the sorted places lie in this array
  let [sortedKeys, sorted] = [integers(length), found.order];
  for (const [pass, shift] of SHIFTS.entries()) {
    const next = at(counts, pass);
    for (let digit = 1; digit <= DIGITS; digit++) next[digit] = i32At(next, digit) + i32At(next, digit - 1);
    for (let i = 0; i < length; i++) {
      const key = i32At(keys, i);
      const digit = (key >>> shift) & LAST;
      const to = i32At(next, digit);
      next[digit] = to + 1;
      sortedKeys[to] = key;
      sorted[to] = i32At(order, i);
    }
    [order, sorted] = [sorted, order];
    [keys, sortedKeys] = [sortedKeys, keys];
  }
  for (let i = 0; i < length; i++) {
    found.truths[i] = i32At(order, i) & 1;
    order[i] = i32At(order, i) >>> 1;
  }
  return stepsInto(found.steps, keys);
}

/** @param keys of scores, sorted: the same where the scores are */
function stepsInto(steps: Int32Array, keys: Int32Array): Int32Array {
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    if (i === 0 || i32At(keys, i) !== i32At(keys, i - 1)) steps[count++] = i;
  }
  steps[count++] = keys.length;
  return steps.subarray(0, count);
}

/** @param ofYes what a yes of each step adds to the metric, and `ofNo` what a no does */
function areaOf(value: number, { order, steps, truths }: ScoreOrder, ofYes: Float64Array, ofNo: Float64Array): Area {
  const influence = (): Float64Array => {
    const found = doubles(order.length);
    for (let step = 0; step + 1 < steps.length; step++) {
      const [yes, no] = [f64At(ofYes, step), f64At(ofNo, step)];
      for (let i = i32At(steps, step); i < i32At(steps, step + 1); i++) {
        found[i32At(order, i)] = u8At(truths, i) === 1 ? yes : no;
      }
    }
    return found;
  };
  const spread = (): Spread => {
    let [squares, cubes] = [0, 0];
    for (let step = 0; step + 1 < steps.length; step++) {
      const [yes, no] = [f64At(ofYes, step), f64At(ofNo, step)];
      for (let i = i32At(steps, step); i < i32At(steps, step + 1); i++) {
        const own = u8At(truths, i) === 1 ? yes : no;
        squares += own * own;
        cubes += own * own * own;
      }
    }
    return spreadFromSums(order.length, squares, cubes);
  };
  return { value, influence, spread };
}

function positivesOf(truths: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < truths.length; i++) sum += u8At(truths, i);
  return sum;
}

/**
 * The area under the ROC curve and DeLong's placements, in one walk over the order: DeLong, DeLong & Clarke-Pearson,
 * Biometrics 44 (1988); in O(n log n) by Sun & Xu, IEEE Signal Processing Letters 21 (2014). The influences are those of
 * DeLong's variance S₁₀/m + S₀₁/n, so that the sum of their squares is it.
 * @returns null where all answers are of one class
 */
export function rocArea(scores: ScoreOrder): Area | null {
  const { steps, truths } = scores;
  const positives = positivesOf(truths);
  const negatives = truths.length - positives;
  if (positives === 0 || negatives === 0) return null;
  // divided by m − 1 inside, so that groups of answers are Obuchowski's (Biometrics 53, 1997)
  const share = (count: number): number => 1 / Math.sqrt(count * Math.max(1, count - 1));
  const [shareOfYes, shareOfNo] = [share(positives), share(negatives)];
  // of each step: the share of the other class that an answer stands rightly to, ties counting half
  const ofYes = doubles(steps.length);
  const ofNo = doubles(steps.length);
  let [yes, no, area] = [0, 0, 0];
  for (let step = 0; step + 1 < steps.length; step++) {
    const [from, to] = [i32At(steps, step), i32At(steps, step + 1)];
    let tied = 0;
    for (let i = from; i < to; i++) tied += u8At(truths, i);
    const tiedNo = to - from - tied;
    const placement = (no + tiedNo / 2) / negatives;
    ofYes[step] = placement;
    ofNo[step] = (positives - yes - tied / 2) / positives;
    area += tied * placement;
    yes += tied;
    no += tiedNo;
  }
  const value = area / positives;
  for (let step = 0; step + 1 < steps.length; step++) {
    ofYes[step] = (f64At(ofYes, step) - value) * shareOfYes;
    ofNo[step] = (f64At(ofNo, step) - value) * shareOfNo;
  }
  return areaOf(value, scores, ofYes, ofNo);
}

/**
 * Interval of an area under the ROC curve: DeLong's standard error on the logit scale (Pepe, The Statistical Evaluation of
 * Medical Tests, 2003, 5.2.4). Where the classes are wholly apart there is none, and the interval is Newcombe's fifth
 * (Statistics in Medicine 25, 2006), which is not empty there.
 */
export function rocInterval(value: number, spread: Spread, positives: number, negatives: number): Interval | null {
  return (
    intervalOn(value, spread, LOGIT) ?? (value === 1 || value === 0 ? newcombe(value, positives, negatives) : null)
  );
}

/** The areas θ with |θ − value| ≤ z·√V(θ), V(θ) = θ(1−θ)·(1 + (N−1)((1−θ)/(2−θ) + θ/(1+θ))) / (mn), N = (m+n)/2. */
function newcombe(value: number, positives: number, negatives: number): Interval {
  const beyond = (positives + negatives) / 2 - 1;
  const isWithin = (theta: number): boolean => {
    const around = 1 + beyond * ((1 - theta) / (2 - theta) + theta / (1 + theta));
    const variance = (theta * (1 - theta) * around) / (positives * negatives);
    return (theta - value) ** 2 <= Z * Z * variance;
  };
  // of an area of 1; that of 0 is its mirror
  let [outside, inside] = value === 1 ? [0, 1 - 1e-15] : [1, 1e-15];
  for (let i = 0; i < 60; i++) {
    const middle = (outside + inside) / 2;
    if (isWithin(middle)) inside = middle;
    else outside = middle;
  }
  return value === 1 ? [inside, 1] : [0, inside];
}

/**
 * Average precision Σ over yes of precision at its score / P, and its derivative by the weight of each answer: with T and
 * N the yes and all answers from a score up, a yes adds (T/N − value)/P of its own, and every answer changes the
 * precision at all scores below it.
 * @returns null where no answer is truly yes
 */
export function precisionArea(scores: ScoreOrder): Area | null {
  const { steps, truths } = scores;
  const positives = positivesOf(truths);
  if (positives === 0) return null;
  // of each step T/N, T and N counting from it up, and the yes in it; then what a yes and a no in it add
  const ofYes = doubles(steps.length);
  const ofNo = doubles(steps.length);
  let [yes, value] = [0, 0];
  for (let step = steps.length - 2; step >= 0; step--) {
    const [from, to] = [i32At(steps, step), i32At(steps, step + 1)];
    let tied = 0;
    for (let i = from; i < to; i++) tied += u8At(truths, i);
    yes += tied;
    const precision = yes / (truths.length - from);
    ofYes[step] = precision;
    ofNo[step] = tied;
    value += (tied * precision) / positives;
  }
  let [byYes, byNo] = [0, 0];
  for (let step = 0; step + 1 < steps.length; step++) {
    const [own, tied] = [f64At(ofYes, step), f64At(ofNo, step)];
    const above = truths.length - i32At(steps, step);
    byYes += (tied * (1 - own)) / above;
    byNo -= (tied * own) / above;
    ofYes[step] = (own - value + byYes) / positives;
    ofNo[step] = byNo / positives;
  }
  return areaOf(value, scores, ofYes, ofNo);
}
