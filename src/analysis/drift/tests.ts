/** @file Is new data like that of train? One test for each of its numbers and categories, with the size of the change. */
import { wilson } from "../intervals/shares.js";
import { homogeneity } from "../statistics/chi-square.js";
import { holm } from "../statistics/holm.js";
import { kolmogorovDistance, kolmogorovTail } from "../statistics/kolmogorov.js";
import { binned, type Sketch, stabilityIndex } from "./sketch.js";

/** What a test is about: what the network is given, what it answers, how often it asks, what its trunk makes of it. */
export type DriftKind = "input" | "answer" | "asked" | "features";

/** One comparison, before it is judged beside the others. */
export interface DriftTest {
  readonly kind: DriftKind;
  readonly name: string;
  readonly test: "kolmogorov_smirnov" | "chi_square" | "classifier" | "unseen";
  /** The statistic; null where no test could be made, as without rows. */
  readonly statistic: number | null;
  readonly p: number | null;
  readonly effect: { readonly name: "psi" | "auc"; readonly value: number | null; readonly limit: number };
  /** What is shown of both: the mean, or the share of a category. */
  readonly shown: string;
  readonly train: number | null;
  readonly now: number | null;
  /** Of what is shown of the new data, 95 %. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly rows: { readonly train: number; readonly now: number };
}

/** A comparison that was judged. */
export interface JudgedTest extends DriftTest {
  /** By Holm's method over all tests. */
  readonly p_adjusted: number | null;
  readonly drift: boolean;
}

/** A stability index from which on a change counts. */
export const PSI_LIMIT = 0.2;

const Z = 1.959963984540054;

/** Numbers beside those of train. @param values NaN where one is missing */
export function compareNumbers(
  about: Pick<DriftTest, "kind" | "name">,
  train: Sketch,
  values: ArrayLike<number>,
  limit: number = PSI_LIMIT,
): DriftTest {
  const known = Float64Array.from(Array.from(values).filter((value) => !Number.isNaN(value))).sort();
  const isTested = train.count > 0 && known.length > 0;
  const statistic = isTested ? kolmogorovDistance(train.quantiles, known) : null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length - 1);
  const reach = Z * Math.sqrt(variance / known.length);
  const psi = isTested ? stabilityIndex(scaled(train), binned(train, known)) : null;
  return {
    ...about,
    test: "kolmogorov_smirnov",
    statistic,
    p: statistic === null ? null : kolmogorovTail(statistic, train.count, known.length),
    effect: { name: "psi", value: psi, limit },
    ...{ shown: "mean", train: train.mean, now: known.length === 0 ? null : mean },
    interval: known.length < 2 ? null : [mean - reach, mean + reach],
    rows: { train: train.count, now: known.length },
  };
}

/** Counts of all numbers of a sketch in its own bins. */
function scaled(train: Sketch): number[] {
  const factor = train.count / train.quantiles.length;
  return binned(train, train.quantiles).map((count) => count * factor);
}

/**
 * Counts of categories beside those of train.
 * @param names of the categories
 * @param shown which of them is shown; default: the one whose share has changed most
 */
export function compareCounts(
  about: Pick<DriftTest, "kind" | "name">,
  names: readonly string[],
  train: readonly number[],
  now: readonly number[],
  { limit = PSI_LIMIT, shown }: { readonly limit?: number; readonly shown?: number } = {},
): DriftTest {
  const [all, own] = [total(train), total(now)];
  const result = homogeneity(train, now);
  const share = (counts: readonly number[], i: number, of: number): number => (of === 0 ? 0 : (counts[i] ?? 0) / of);
  const change = (i: number): number => Math.abs(share(now, i, own) - share(train, i, all));
  const place = shown ?? names.reduce((best, _, i) => (change(i) > change(best) ? i : best), 0);
  return {
    ...about,
    test: "chi_square",
    statistic: result?.statistic ?? null,
    p: result?.p ?? null,
    effect: { name: "psi", value: all === 0 || own === 0 ? null : stabilityIndex(train, now), limit },
    shown: names[place] ?? "",
    train: all === 0 ? null : share(train, place, all),
    now: own === 0 ? null : share(now, place, own),
    interval: own === 0 ? null : wilson(share(now, place, own), own),
    rows: { train: all, now: own },
  };
}

/**
 * Categories that train does not have: a drift whatever their number, since a network can say nothing of them.
 * @param categories of the rows that have them
 * @param rows of the new data
 */
export function unseenCategories(
  input: string,
  categories: readonly string[],
  rows: { readonly train: number; readonly now: number },
): JudgedTest {
  const share = categories.length / rows.now;
  const names = [...new Set(categories)].sort();
  return {
    ...{ kind: "input", name: `${input} unseen`, test: "unseen", statistic: categories.length, p: null },
    effect: { name: "psi", value: null, limit: 0 },
    ...{ shown: names.join(", "), train: 0, now: share, interval: wilson(share, rows.now), rows },
    ...{ p_adjusted: null, drift: true },
  };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Whether new rows are enough for any change to be a drift: not even a complete one of one or two rows is. */
export function areEnough(tests: readonly DriftTest[], alpha: number): boolean {
  const tested = tests.filter(({ p }) => p !== null);
  return tested.some(({ rows: { train, now } }) => kolmogorovTail(1, train, now) * tested.length < alpha);
}

/**
 * A change is a drift where chance alone would hardly make it (Holm over all tests) and it is large enough to matter:
 * with many rows the smallest change is significant.
 * @param alpha chance of any false alarm
 */
export function judge(tests: readonly DriftTest[], alpha: number): JudgedTest[] {
  const adjusted = holm(tests.map(({ p }) => p));
  return tests.map((test, i) => {
    const p_adjusted = adjusted[i] ?? null;
    const { value, limit } = test.effect;
    return {
      ...test,
      p_adjusted,
      drift: p_adjusted !== null && p_adjusted < alpha && value !== null && value >= limit,
    };
  });
}
