/** @file An ONNX model that reads pictures: what it takes, what it puts out, and running it. */
import { at, f32At } from "../../../../arrays.js";
import { ConfigError } from "../../../../errors.js";
import type { ExternalModel, ModelNeeds } from "../external-model.js";
import { cannotRun, inputsInWords, type OnnxSession, outputNamed, withSession } from "../onnx-runtime.js";
import { changePixels, pixelChange } from "../preprocessing.js";

/**
 * @throws BackendError where ONNX Runtime is not installed; ConfigError, UnknownNameError for a file that is no model, or
 * one that does not read such pictures or has no such output
 */
export function openOnnx(needs: ModelNeeds): Promise<ExternalModel> {
  return withSession(needs, async (runtime, session) => {
    const entrance = entranceOf(session, needs);
    const output = outputNamed(session, needs);
    const { kernel, bias } = pixelChange(needs.preprocessing, needs.channels, entrance.channels);
    const compute = async (pixels: Uint8Array, rows: number) => {
      const seen = changePixels(pixels, rows, needs, { kernel, bias }, entrance.isChannelsFirst);
      const fed = new runtime.Tensor("float32", seen, [rows, ...entrance.shape]);
      return outputsOf(session, entrance.name, output, fed, needs);
    };
    const [height, width] = needs.size;
    const probe = await compute(new Uint8Array(height * width * needs.channels), 1);
    const isMap = entrance.isChannelsFirst && probe.dims.length === 4;
    const row = probe.dims.slice(1);
    const shape = isMap ? [at(row, 1), at(row, 2), at(row, 0)] : row;
    return {
      output,
      runtime: "onnx",
      shape: shape.length === 0 ? [1] : shape,
      async run(pixels: Uint8Array, rows) {
        const { data, dims } = await compute(pixels, rows);
        const values = Float32Array.from(data);
        return isMap ? channelsLast(values, dims) : values;
      },
      close: () => session.release(),
    };
  });
}

interface Entrance {
  readonly name: string;
  readonly channels: number;
  readonly isChannelsFirst: boolean;
  /** Without the batch. */
  readonly shape: readonly number[];
}

function entranceOf(session: OnnxSession, { model, size, channels }: ModelNeeds): Entrance {
  const [entrance, ...more] = session.inputMetadata;
  const shape = entrance?.shape ?? [];
  if (entrance === undefined || more.length > 0 || shape.length !== 4 || entrance.type !== "float32") {
    const inputs = inputsInWords(session);
    throw new ConfigError(
      `The ONNX model ${model} reads ${inputs.join(" and ") || "nothing"}; a trunk takes a model of one float32 input of pictures, [batch, channels, height, width] or [batch, height, width, channels]. Export the part that reads pictures.`,
      { model, inputs },
    );
  }
  const isColour = (count: number | string | undefined): count is number => count === 1 || count === 3;
  const [, second, third, fourth] = shape;
  const isChannelsFirst = isColour(second) || !isColour(fourth);
  const counted = isChannelsFirst ? second : fourth;
  const wanted = isChannelsFirst ? [third, fourth] : [second, third];
  const misfit = wanted.some((side, axis) => typeof side === "number" && side > 0 && side !== size[axis]);
  if (misfit) {
    throw new ConfigError(
      `The ONNX model ${model} reads pictures of ${wanted.join(" × ")}, but is applied to ${size.join(" × ")}. Declare image({ size: [${wanted.join(", ")}] }), or export it with sizes that are free.`,
      { model, expected: wanted, got: size },
    );
  }
  const known = typeof counted === "number" && counted > 0 ? counted : channels;
  return {
    name: entrance.name,
    channels: known,
    isChannelsFirst,
    shape: isChannelsFirst ? [known, ...size] : [...size, known],
  };
}

async function outputsOf(session: OnnxSession, input: string, output: string, fed: unknown, { model }: ModelNeeds) {
  try {
    const { [output]: result } = await session.run({ [input]: fed }, [output]);
    if (result !== undefined && result.type === "float32") return result;
    throw new Error(`its output "${output}" is ${result?.type ?? "not there"} instead of float32`);
  } catch (error) {
    throw cannotRun(model, error);
  }
}

/** [rows, channels, height, width] → [rows, height, width, channels] */
function channelsLast(values: Float32Array, dims: readonly number[]): Float32Array {
  const [rows, channels, area] = [at(dims, 0), at(dims, 1), at(dims, 2) * at(dims, 3)];
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < area; pixel++) {
        out[(row * area + pixel) * channels + channel] = f32At(values, (row * channels + channel) * area + pixel);
      }
    }
  }
  return out;
}
