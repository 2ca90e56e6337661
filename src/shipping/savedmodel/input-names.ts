/** @file Names of inputs that Python's TensorFlow calls alike, so that it would not open the model. */
import { ConfigError } from "../../errors.js";

/** As `sanitize_arg_name` of TensorFlow has it (core/function/polymorphism/function_type.py). */
function parameterName(name: string): string {
  const plain = name.replaceAll(/[^\p{L}\p{N}]/gu, "_");
  return /^\p{L}/u.test(plain) ? plain : `arg_${plain}`;
}

/** @throws ConfigError where two inputs would be one parameter of the signature */
export function refuseAlike(names: readonly string[]): void {
  const taken = new Map<string, string>();
  for (const name of names) {
    const parameter = parameterName(name);
    const other = taken.get(parameter);
    if (other !== undefined) {
      throw new ConfigError(
        `The inputs ${JSON.stringify(other)} and ${JSON.stringify(name)} of this run are both ${parameter} to TensorFlow, which would not open the model. Export with --format onnx, or rename one of them in data.inputs and train again.`,
        { inputs: [other, name], parameter },
      );
    }
    taken.set(parameter, name);
  }
}
