/** @file The temperature that makes labels likeliest. */
import { f32At, i32At, u8At } from "../../arrays.js";

/** What a temperature is fitted to: answers with their logits. */
export type TemperatureAnswers =
  | { readonly activation: "sigmoid"; readonly logits: Float32Array; readonly truths: Uint8Array }
  /** @param logits [answers, classes] */
  | {
      readonly activation: "softmax";
      readonly logits: Float32Array;
      readonly classes: number;
      readonly labels: Int32Array;
    };

/** First and second derivative of the log loss by the inverse temperature. */
interface Slope {
  readonly first: number;
  readonly second: number;
}

/** Of temperatures. */
export const LARGEST = 100;
const STEPS = 100;
const PRECISION = 1e-10;

/**
 * Minimises the log loss over the inverse temperature, in which it is convex: Newton's steps, halved into the interval
 * where the slope changes its sign. Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), §4.2.
 * @returns between 1/100 and 100, which is the answer where the logits say nothing of the labels; null where they tell
 *   all of them apart, so that no temperature is best
 */
export function fitTemperature(answers: TemperatureAnswers): number | null {
  let [low, high] = [1 / LARGEST, LARGEST];
  if (slopeAt(answers, high).first <= 0) return null;
  if (slopeAt(answers, low).first >= 0) return LARGEST;
  let inverse = 1;
  for (let step = 0; step < STEPS; step++) {
    const { first, second } = slopeAt(answers, inverse);
    if (first > 0) high = inverse;
    else low = inverse;
    const newton = inverse - first / second;
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    const moved = Math.abs(next - inverse);
    inverse = next;
    if (moved <= PRECISION * inverse) break;
  }
  return 1 / inverse;
}

function slopeAt(answers: TemperatureAnswers, inverse: number): Slope {
  return answers.activation === "sigmoid" ? sigmoidSlope(answers, inverse) : softmaxSlope(answers, inverse);
}

/** d/dβ Σ log(1 + e^βz) − yβz = Σ (σ(βz) − y) z. */
function sigmoidSlope({ logits, truths }: { logits: Float32Array; truths: Uint8Array }, inverse: number): Slope {
  let [first, second] = [0, 0];
  for (let i = 0; i < logits.length; i++) {
    const z = f32At(logits, i);
    const p = 1 / (1 + Math.exp(-inverse * z));
    first += (p - u8At(truths, i)) * z;
    second += p * (1 - p) * z * z;
  }
  return { first, second };
}

/** d/dβ Σ log Σ e^βz − βz_y = Σ E[z] − z_y, whose own derivative is the variance of z. */
function softmaxSlope(
  { logits, classes, labels }: { logits: Float32Array; classes: number; labels: Int32Array },
  inverse: number,
): Slope {
  let [first, second] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    const at = row * classes;
    let max = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) max = Math.max(max, f32At(logits, at + c));
    let [weights, sum, squares] = [0, 0, 0];
    for (let c = 0; c < classes; c++) {
      // from the largest, so that nothing overflows; the variance does not mind
      const z = f32At(logits, at + c) - max;
      const weight = Math.exp(inverse * z);
      weights += weight;
      sum += weight * z;
      squares += weight * z * z;
    }
    const mean = sum / weights;
    first += mean - (f32At(logits, at + i32At(labels, row)) - max);
    second += squares / weights - mean * mean;
  }
  return { first, second };
}
