/** @file Quantiles of 95 % intervals. */
import { at } from "../../arrays.js";

/** 97.5 % quantile of the standard normal distribution. */
export const Z = 1.959963984540054;

/** 97.5 % quantiles of Student's distribution with one to seven degrees of freedom. */
const FEW = [
  12.706204736432095, 4.302652729911275, 3.182446305284263, 2.7764451051977987, 2.5705818366147395, 2.4469118511449692,
  2.3646242510102993,
];

/** Terms in 1 / degrees, 1 / degrees², … */
const TERMS = [
  (Z ** 3 + Z) / 4,
  (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96,
  (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384,
  (79 * Z ** 9 + 776 * Z ** 7 + 1482 * Z ** 5 - 1920 * Z ** 3 - 945 * Z) / 92_160,
];

/**
 * 97.5 % quantile of Student's distribution: the normal one expanded in 1 / degrees (Abramowitz & Stegun, Handbook of
 * Mathematical Functions, 26.7.5), which is right to three digits from eight degrees on; below, from a table.
 * @param degrees 1 or more
 */
export function studentQuantile(degrees: number): number {
  if (degrees <= FEW.length) return at(FEW, Math.max(1, Math.floor(degrees)) - 1);
  return TERMS.reduce((sum, term, i) => sum + term / degrees ** (i + 1), Z);
}
