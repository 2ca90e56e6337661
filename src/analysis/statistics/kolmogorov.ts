/** @file The test of Kolmogorov and Smirnov: are two samples of numbers of one distribution? */
import { f64At } from "../../arrays.js";

/**
 * The largest distance between the distribution functions of two samples.
 * @param a ascending, as b is
 */
export function kolmogorovDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && (a[i] ?? 0) <= value) i++;
    while (j < b.length && (b[j] ?? 0) <= value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** Products of sizes up to which the p-value is exact. */
const EXACT = 2_000_000;

/**
 * P(D ≥ d) for two samples of m and n numbers of one continuous distribution. Exact for small samples, by counting lattice
 * paths (Hodges, Arkiv för Matematik 3, 1958; the recursion of R's `psmirnov`); else by Kolmogorov's limit with the
 * correction of Stephens (Journal of the Royal Statistical Society B 32, 1970).
 */
export function kolmogorovTail(d: number, m: number, n: number): number {
  if (d <= 0) return 1;
  if (m * n > EXACT) return limitTail(d, m, n);
  const exact = 1 - pathsBelow(d, Math.min(m, n), Math.max(m, n));
  // what is left of 1 has no digits there
  return exact > 1e-9 ? exact : Math.min(1e-9, limitTail(d, m, n));
}

function limitTail(d: number, m: number, n: number): number {
  const root = Math.sqrt((m * n) / (m + n));
  const lambda = (root + 0.12 + 0.11 / root) * d;
  // where the series does not converge, the tail is 1 in all digits
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda);
    sum += term;
    if (Math.abs(term) < 1e-17) break;
  }
  return Math.min(1, Math.max(0, sum));
}

/** Share of the ways to mix both samples in which their functions stay nearer than d. */
function pathsBelow(d: number, m: number, n: number): number {
  const q = (0.5 + Math.floor(d * m * n - 1e-7)) / (m * n);
  const paths = new Float64Array(n + 1);
  for (let j = 0; j <= n; j++) paths[j] = j / n > q ? 0 : 1;
  for (let i = 1; i <= m; i++) {
    const weight = i / (i + n);
    paths[0] = i / m > q ? 0 : weight * f64At(paths, 0);
    for (let j = 1; j <= n; j++) {
      paths[j] = Math.abs(i / m - j / n) > q ? 0 : weight * f64At(paths, j) + f64At(paths, j - 1);
    }
  }
  return f64At(paths, n);
}
