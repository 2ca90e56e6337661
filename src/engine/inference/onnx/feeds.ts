/** @file Inputs of a batch → the tensors that an ONNX model takes: of its types, with its order of axes. */
import { at, u8At } from "../../../arrays.js";
import { type InputSpec, type InputValues, inputShape } from "../../../data/dataset.js";
import { ConfigError, UnknownNameError } from "../../../errors.js";
import type { OnnxValue } from "../../model/pretrained/onnx-runtime.js";
import { changePixels, pixelChange, type PreprocessingInput } from "../../model/pretrained/preprocessing.js";

/** Numbers of a tensor, by its type. */
type TensorData = Uint8Array | Float32Array | Float64Array | Int32Array | BigInt64Array;

/** What one input of a model is fed for some rows. */
export interface FedTensor {
  readonly type: string;
  readonly data: TensorData;
  readonly dims: readonly number[];
}

/** One input of a model. */
export interface Entrance {
  /** The declared input whose values it takes; null: nothing that is asked here hangs on it. */
  readonly input: string | null;
  /** @param values of some rows, one after the other; none for what is not declared */
  feed(values: InputValues, rows: number): FedTensor;
}

/** What is said about the inputs of a model. */
export interface EntranceNeeds {
  /** Of the model, for messages. */
  readonly model: string;
  /** The declared inputs, as their values are read. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Names of the model's inputs, by declared input, where they differ. */
  readonly names: Readonly<Record<string, string>>;
  /** What becomes of pixels where the model takes them as floats. */
  readonly preprocessing: PreprocessingInput;
  /** Inputs of an exported model on which no logits hang: known answers, sizes and frames of pictures. */
  readonly beside: readonly string[];
}

/**
 * What each input of a model is fed, by its name.
 * @throws ConfigError, UnknownNameError where the declared inputs are not what the model takes
 */
export function entrancesOf(taken: readonly OnnxValue[], needs: EntranceNeeds): ReadonlyMap<string, Entrance> {
  const { model, inputs, names } = needs;
  const known = taken.map(({ name }) => name);
  const own = taken.filter(({ name }) => !needs.beside.includes(name));
  const declared = Object.entries(inputs);
  const byName = new Map<string, Entrance>();
  for (const [name, spec] of declared) {
    // a model of one input calls it what it likes
    const isOnly = declared.length === 1 && own.length === 1;
    const wanted = names[name] ?? (isOnly ? at(own, 0).name : name);
    const entrance = taken.find((value) => value.name === wanted);
    if (entrance === undefined) throw new UnknownNameError("input", wanted, known, `the model ${model}`);
    byName.set(wanted, { input: name, feed: feederOf(name, spec, entrance, needs) });
  }
  const unfed = own.find(({ name }) => !byName.has(name));
  if (unfed !== undefined) {
    throw new ConfigError(
      `The model ${model} takes an input "${unfed.name}", and the project declares ${declared.map(([name]) => `"${name}"`).join(", ")}. Say which of them it takes, e.g. --input ${at(declared, 0)[0]}=${unfed.name}.`,
      { model, input: unfed.name, declared: declared.map(([name]) => name) },
    );
  }
  for (const { name, shape = [] } of taken) {
    if (!needs.beside.includes(name)) continue;
    const width = shape.slice(1).reduce<number>((size, axis) => size * (typeof axis === "number" ? axis : 1), 1);
    const feed = (_values: InputValues, rows: number): FedTensor => ({
      type: "float32",
      data: new Float32Array(rows * width).fill(1),
      dims: [rows, ...(shape.length > 1 ? [width] : [])],
    });
    byName.set(name, { input: null, feed });
  }
  return byName;
}

/** Rows that a model takes at a time; null: any number. */
export function fixedRows(taken: readonly OnnxValue[]): number | null {
  const [rows] = taken.flatMap(({ shape }) => (typeof shape?.[0] === "number" && shape[0] > 0 ? [shape[0]] : []));
  return rows ?? null;
}

function feederOf(name: string, spec: InputSpec, entrance: OnnxValue, needs: EntranceNeeds): Entrance["feed"] {
  return spec.kind === "image" ? pictures(name, spec, entrance, needs) : numbers(name, spec, entrance, needs);
}

const NUMBER_TYPES: Readonly<Record<string, (values: InputValues) => TensorData>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int32: (values) => Int32Array.from(values),
  int64: (values) => BigInt64Array.from(Array.from(values, BigInt)),
};

/** Numbers, places of categories and ids of tokens. */
function numbers(
  name: string,
  spec: Exclude<InputSpec, { kind: "image" }>,
  { name: own, type = "", shape = [] }: OnnxValue,
  { model }: EntranceNeeds,
): Entrance["feed"] {
  const convert = NUMBER_TYPES[type];
  const isWhole = spec.kind === "tokens" || (spec.kind === "categorical" && spec.encoding === "index");
  const declared = inputShape(spec);
  const fits =
    convert !== undefined &&
    (isWhole || type.startsWith("float")) &&
    (fitsShape(shape.slice(1), declared) || (shape.length === 1 && declared.length === 1 && declared[0] === 1));
  if (!fits) {
    throw new ConfigError(
      `The model ${model} takes "${own}" as ${describe({ type, shape })}, and the input "${name}" (${spec.kind}) has ${rowsOf(declared)}${isWhole ? "" : " of floats"}. Export the model with that, or correct the input.`,
      { model, input: name, type, shape, declared },
    );
  }
  const [, length] = shape;
  if (spec.kind === "tokens" && typeof length === "number" && length > 0) {
    throw new ConfigError(
      `The model ${model} takes ${length} tokens of every row, and rows of the input "${name}" have as many as they have: "${own}" is ${describe({ type, shape })}. Export it with a free second axis.`,
      { model, input: name, shape },
    );
  }
  const isFlat = shape.length === 1;
  // a tokenizer's ids count from 0, and −1 is padding
  const shift = spec.kind === "tokens" && spec.tokenizer !== undefined ? 1 : 0;
  return (values, rows) => {
    const data = convert(shift === 0 ? values : Int32Array.from(values, (id) => id - shift));
    return { type, data, dims: isFlat ? [rows] : [rows, values.length / Math.max(1, rows)] };
  };
}

/** Pictures: bytes as they are, or floats as they are preprocessed; channels first or last. */
function pictures(
  name: string,
  spec: Extract<InputSpec, { kind: "image" }>,
  { name: own, type = "", shape = [] }: OnnxValue,
  { model, preprocessing }: EntranceNeeds,
): Entrance["feed"] {
  const [height, width] = spec.size;
  const [, second, third, fourth] = shape;
  const isColour = (count: unknown): boolean => count === 1 || count === 3;
  const isFirst = isColour(second) || (!isColour(fourth) && shape.length === 4);
  const counted = isFirst ? second : fourth;
  const channels = typeof counted === "number" && counted > 0 ? counted : spec.channels;
  const sides = isFirst ? [third, fourth] : [second, third];
  const isBytes = type === "uint8";
  const misfit = sides.some((side, axis) => typeof side === "number" && side > 0 && side !== spec.size[axis]);
  if (shape.length !== 4 || !(isBytes || type === "float32") || misfit || (isBytes && channels !== spec.channels)) {
    throw new ConfigError(
      `The model ${model} takes "${own}" as ${describe({ type, shape })}, and the input "${name}" has pictures of ${height} × ${width} pixels with ${spec.channels} ${spec.channels === 1 ? "channel" : "channels"}. Declare image({ size: [height, width] }) as the model was trained to see, or export it as uint8 or float32 of that size.`,
      { model, input: name, type, shape, size: spec.size, channels: spec.channels },
    );
  }
  const change = isBytes ? null : pixelChange(preprocessing, spec.channels, channels);
  return (values, rows) => {
    const pixels = Uint8Array.from(values);
    const dims = isFirst ? [rows, channels, height, width] : [rows, height, width, channels];
    if (change === null) return { type, data: isFirst ? channelsFirst(pixels, rows, spec) : pixels, dims };
    return { type, data: changePixels(pixels, rows, spec, change, isFirst), dims };
  };
}

/** [rows, height, width, channels] → [rows, channels, height, width] */
function channelsFirst(
  pixels: Uint8Array,
  rows: number,
  { size: [height, width], channels }: Extract<InputSpec, { kind: "image" }>,
): Uint8Array {
  const area = height * width;
  const out = new Uint8Array(pixels.length);
  for (let row = 0; row < rows; row++) {
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        out[(row * channels + channel) * area + pixel] = u8At(pixels, (row * area + pixel) * channels + channel);
      }
    }
  }
  return out;
}

function fitsShape(own: readonly (number | string)[], declared: readonly (number | null)[]): boolean {
  if (own.length !== declared.length) return false;
  return own.every((size, axis) => typeof size !== "number" || size <= 0 || size === (declared[axis] ?? size));
}

function rowsOf(declared: readonly (number | null)[]): string {
  const [width] = declared;
  if (width == null) return "as many ids as a row has tokens";
  return width === 1 ? "one number for each row" : `${width} numbers for each row`;
}

/** `float32 [batch, 3, 64, 64]` */
function describe({ type = "?", shape = [] }: Pick<OnnxValue, "type" | "shape">): string {
  return `${type} [${shape.join(", ")}]`;
}
