/** @file Numbers as the page writes them. */

/** Four significant digits, as `cool explain` writes them. */
export function inDigits(value: number): string {
  return String(Number(value.toPrecision(4)));
}

export function inMilliseconds(value: number): string {
  return value < 1000 ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : `${(value / 1000).toFixed(2)} s`;
}
