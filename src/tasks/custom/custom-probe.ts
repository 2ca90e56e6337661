/** @file Custom tasks tried out before training: functions whose results do not fit are found in a moment. */
import { at } from "../../arrays.js";
import { CoolError } from "../../errors.js";
import { callCustom, numbersFrom, type CustomFunctions } from "./custom-functions.js";

// the step that balances rounding and truncation of a central difference: the cube root of double precision's ε
const STEP = Math.cbrt(Number.EPSILON);

/**
 * Gradient of a function by central differences in double precision, (f(z+h) − f(z−h)) / 2h with
 * h = ε^⅓·max(1, |z|): relative errors about 1e-10 where f is smooth (Press et al., Numerical Recipes, §5.7).
 */
export function centralDifferences(f: (z: readonly number[]) => number, z: readonly number[]): number[] {
  return z.map((value, i) => {
    const step = STEP * Math.max(1, Math.abs(value));
    const [above, below] = [value + step, value - step];
    return (f(z.with(i, above)) - f(z.with(i, below))) / (above - below);
  });
}

/**
 * Calls every function once, on logits 0.1, 0.2, … and on what they decode to as the label.
 * @returns what is wrong, in words that follow the task's name; null if nothing is
 */
export function probe(functions: CustomFunctions): string | null {
  try {
    tryFunctions(functions);
    return null;
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    return `does not work. ${error.message.replace(/\.$/, "")}`;
  }
}

function tryFunctions(functions: CustomFunctions): void {
  const { logitWidth, answerWidth, decoder } = functions;
  const logits = Array.from({ length: logitWidth }, (_, i) => (i + 1) / 10);
  const call = (name: string, width: number, run: () => unknown): number[] => {
    const returned = callCustom(functions, name, run);
    return numbersFrom(functions, name, typeof returned === "number" ? [returned] : returned, width);
  };
  const activated = call("activation", logitWidth, () => functions.activation(logits));
  const decoded = call("decoder.decode", answerWidth, () => decoder.decode(activated, decoder.parameters));
  const label = answerWidth === 1 ? at(decoded, 0) : decoded;
  call("loss", 1, () => functions.loss(logits, label));
  const { gradient } = functions;
  if (gradient !== undefined) call("gradient", logitWidth, () => gradient(logits, label));
}
