/** @file The logarithm of the gamma function, for probabilities of large counts. */

/** B₂ₖ / (2k(2k − 1)) for k = 1 … 8, where B are the Bernoulli numbers. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
/** From here on the terms above are exact to double precision. */
const LARGE = 10;

/**
 * ln Γ(x) by Stirling's series (Abramowitz & Stegun, Handbook of Mathematical Functions, 6.1.40), to which small
 * arguments are raised by Γ(x) = Γ(x + 1) / x.
 * @param x positive
 */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`log gamma of ${x} is not defined here`);
  let shifted = x;
  let product = 1;
  while (shifted < LARGE) {
    product *= shifted;
    shifted += 1;
  }
  let power = 1 / shifted;
  let series = 0;
  for (const coefficient of STIRLING) {
    series += coefficient * power;
    power /= shifted * shifted;
  }
  return (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
