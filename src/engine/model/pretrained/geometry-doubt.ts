/** @file Whether a saved model is shown pictures of another size than the one it was trained with. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../../../errors.js";
import { PREPROCESSOR_CONFIG, readPictureGeometry } from "./preprocessor-config.js";
import type { PretrainedOptions } from "./pretrained.js";

/**
 * What is to be said where a model's preprocessor_config.json gives pictures another size than its input declares; null:
 * nothing, also where the file is not there, or gives no one size.
 * @param file of the model, beside which the configuration lies unless the options name one
 * @param shape of the input, [batch, height, width, channels]
 */
export function geometryDoubt(
  { model, input }: PretrainedOptions,
  file: string,
  baseDir: string,
  shape: readonly (number | null)[],
): string | null {
  // what the configuration declares itself, it knows
  if (shape.length !== 4 || (input !== undefined && typeof input !== "string")) return null;
  const named = input ?? `the ${PREPROCESSOR_CONFIG} beside it`;
  const trained = sizeIn(input === undefined ? join(dirname(file), PREPROCESSOR_CONFIG) : resolve(baseDir, input));
  const [, height, width] = shape;
  if (trained === null || (trained[0] === height && trained[1] === width)) return null;
  return `The model ${model} was trained on pictures of ${trained.join(" × ")}, as ${named} says, but its input is ${height} × ${width}: what it knows of sizes may not hold there. Declare image({ preprocessor: "${input ?? model}" }), or size: [${trained.join(", ")}].`;
}

function sizeIn(file: string): readonly [height: number, width: number] | null {
  if (!existsSync(file)) return null;
  try {
    return readPictureGeometry(file).size;
  } catch (error) {
    // it may fix one edge alone, and what is wrong with its values has been said where they are read
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
