/** @file Several tests at once: p-values that keep the chance of any false alarm. */

/**
 * Holm's step-down adjustment, in the order of the input: with p₍₁₎ ≤ … ≤ p₍ₘ₎,
 * adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1)·p₍ⱼ₎).
 * Source: Holm, Scandinavian Journal of Statistics 6 (1979).
 * @param pValues null: no test was made, which is not counted
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const tested = pValues
    .map((p, index) => ({ p, index }))
    .filter((test): test is { p: number; index: number } => test.p !== null)
    .sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let highest = 0;
  tested.forEach(({ p, index }, rank) => {
    highest = Math.max(highest, Math.min(1, (tested.length - rank) * p));
    adjusted[index] = highest;
  });
  return adjusted;
}
