/** @file Values of some rows → what a runner feeds its network. */
import { at, f32At } from "../arrays.js";
import type {
  CategoricalInput,
  ImageInput,
  NumericInput,
  PredictorInput,
  TokenizerFacts,
  TokensInput,
} from "./document.js";
import { PredictorError } from "./errors.js";
import { networkPixels, type Picture } from "./pictures.js";
import { categoryPlaces, placeOfCategory, standardized } from "./vectors.js";
import { idsOf, tokensIn } from "./vocabulary.js";

/** What one input takes for one row: a picture, numbers, the name of a category, a text or a list of tokens. */
export type InputValue = Picture | ArrayLike<number> | readonly string[] | string | number | boolean | null;

/** What a runner feeds. */
export interface FedInput {
  readonly data: Uint8Array | Float32Array | Int32Array;
  /** Rows first. */
  readonly shape: readonly number[];
}

/**
 * In which form a runner takes inputs: `network`, as the layers see them (pixels in [0, 1], numbers standardized,
 * everything as floats), or `signature`, as an exported ONNX model takes them (bytes, numbers as they come, ids).
 */
export type InputForm = "network" | "signature";

/** The values of one row of one input, ready for either form: bytes, numbers as they come, the place of a category, ids. */
export type ReadValues = Uint8Array | Float64Array | Int32Array;

/** What reads the values of one input. */
interface InputReader<Input extends PredictorInput> {
  /** @throws PredictorError where the value does not fit the input */
  read(name: string, input: Input, value: InputValue | undefined): ReadValues;
  /** Shape of one row. @param length of a sequence */
  shape(input: Input, form: InputForm, length: number): readonly number[];
  /** One row as the layers see it. */
  seen(input: Input, values: ReadValues): Float32Array;
  /** What is added to every value where an exported ONNX model takes it, padding too; default 0. */
  shift?(input: Input): number;
}

const BYTE_TO_UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

const image: InputReader<ImageInput> = {
  read(name, input, value) {
    if (typeof value === "object" && value !== null && "data" in value) return networkPixels(name, value, input);
    throw wrongValue(name, value, "a decoded picture: { data, width, height }");
  },
  shape: ({ size, channels }) => [...size, channels],
  seen: (_input, values) => Float32Array.from(values, (byte) => f32At(BYTE_TO_UNIT, byte)),
};

const numeric: InputReader<NumericInput> = {
  read(name, input, value) {
    const width = widthOf(input);
    const expected = `${width} ${width === 1 ? "number" : "numbers"}${input.missing === "mean" ? ", NaN where one is missing" : ""}`;
    const given = typeof value === "number" ? [value] : isList(value) ? Array.from<unknown>(value) : null;
    if (given === null || given.length !== width) throw wrongValue(name, value, expected);
    const list = given.map(numberOf);
    return Float64Array.from(list, (number, i) => {
      if (number === null) throw wrongValue(name, given[i], `${expected}, and number ${i + 1} is none`);
      if (Number.isFinite(number) || (Number.isNaN(number) && input.missing === "mean")) return number;
      throw wrongValue(name, given[i], `${expected}, each finite (number ${i + 1} is not)`);
    });
  },
  shape: (input) => [widthOf(input)],
  seen: (input, values) => Float32Array.from(values, (value, i) => standardized(input, value, i)),
};

const categorical: InputReader<CategoricalInput> = {
  read(name, input, value) {
    if (value === null || value === undefined || value === "") {
      if (input.missing !== "error") return Int32Array.of(0);
      throw wrongValue(name, value, `one of ${shortList(input.categories)}`);
    }
    const place = placeOfCategory(categoryPlaces(input), value);
    if (place === undefined) throw wrongValue(name, value, `one of ${shortList(input.categories)}`);
    return Int32Array.of(place);
  },
  shape: ({ encoding, categories }, form) =>
    form === "signature" ? [] : [encoding === "one-hot" ? categories.length : 1],
  seen({ encoding, categories }, values) {
    const place = at(values, 0);
    if (encoding === "index") return Float32Array.of(place);
    return Float32Array.from(categories, (_, i) => Number(i === place - 1));
  },
};

const tokens: InputReader<TokensInput> = {
  read(name, input, value) {
    if (input.tokenizer !== undefined) return readIds(name, input, input.tokenizer, value);
    const words = tokensIn(isList(value) ? Array.from<unknown>(value) : value, input);
    if (words === null) throw wrongValue(name, value, "a text, or a list of tokens");
    if (input.missing === "error" && (value === null || value === undefined)) throw wrongValue(name, value, "a text");
    const idOf = idsOf(typeof input.vocabulary === "string" ? [] : input.vocabulary);
    const unknown = idOf(input.unknown);
    return Int32Array.from(words.slice(0, input.maxLength), (word) => {
      const id = idOf(word) ?? unknown;
      if (id === undefined) throw wrongValue(name, word, "tokens of its vocabulary");
      return id;
    });
  },
  shape: (_input, _form, length) => [length],
  seen: (_input, values) => Float32Array.from(values),
  // a tokenizer's ids count from 0, and −1 is padding
  shift: ({ tokenizer }) => (tokenizer === undefined ? 0 : -1),
};

/** Ids of a tokenizer, as the layers count them: from 1. */
function readIds(
  name: string,
  { maxLength }: TokensInput,
  { file, ids: count }: TokenizerFacts,
  value: InputValue | undefined,
): Int32Array {
  if (!isList(value)) {
    throw new PredictorError(
      `The input "${name}" takes the ids that its tokenizer makes of a text, and was given ${describe(value)}. Cut it with ${file}, e.g. by new Tokenizer(…).encode(text).ids of @huggingface/tokenizers.`,
      { input: name, got: describe(value) },
    );
  }
  if (value.length > maxLength) {
    throw new PredictorError(
      `The input "${name}" takes at most ${maxLength} ids, and was given ${value.length}. Cut the text off as its tokenizer does, special tokens kept.`,
      { input: name, got: value.length },
    );
  }
  return Int32Array.from(Array.from<unknown>(value), (id) => {
    if (Number.isInteger(id) && Number(id) >= 0 && Number(id) < count) return Number(id) + 1;
    throw wrongValue(name, id, `ids of ${file}, from 0 to ${count - 1}`);
  });
}

const readers: { readonly [K in PredictorInput["kind"]]: InputReader<Extract<PredictorInput, { readonly kind: K }>> } =
  {
    image,
    numeric,
    categorical,
    tokens,
  };

/** What reads this kind of input. Pass the same input to its functions. */
export function readerOf<I extends PredictorInput>(input: I): InputReader<I> {
  // the table pairs every kind with its own input; the compiler cannot follow the index
  return readers[input.kind] as unknown as InputReader<I>;
}

/**
 * Rows of one input as a runner takes them. Sequences are padded with 0 to the longest, at least to 1.
 * @param rows what was read of each
 */
export function feed(input: PredictorInput, rows: readonly ReadValues[], form: InputForm): FedInput {
  const reader = readerOf(input);
  const length = rows.reduce((longest, { length: own }) => Math.max(longest, own), 1);
  const shape = reader.shape(input, form, length);
  const size = shape.reduce((product, axis) => product * axis, 1);
  const ready = rows.map((values) => (form === "network" ? reader.seen(input, values) : asSigned(values)));
  const kind = ready[0] ?? new Float32Array(0);
  const data = new (kind.constructor as new (length: number) => FedInput["data"])(rows.length * size);
  ready.forEach((values, row) => {
    data.set(values, row * size);
  });
  const shift = form === "signature" ? (reader.shift?.(input) ?? 0) : 0;
  if (shift !== 0) for (let i = 0; i < data.length; i++) data[i] = at(data, i) + shift;
  return { data, shape: [rows.length, ...shape] };
}

/** A signature has no doubles. */
function asSigned(values: ReadValues): FedInput["data"] {
  return values instanceof Float64Array ? Float32Array.from(values) : values;
}

/** As a table's cell is read: NaN where nothing stands; null where what stands there is no number. */
function numberOf(value: unknown): number | null {
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value === "number" || typeof value === "boolean") return Number(value);
  if (typeof value !== "string") return null;
  if (value.trim() === "") return Number.NaN;
  const number = Number(value);
  return Number.isNaN(number) ? null : number;
}

function widthOf({ listLength, columns }: NumericInput): number {
  return listLength ?? columns.length;
}

function isList(value: unknown): value is ArrayLike<number | string> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

function shortList(names: readonly string[]): string {
  return `${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`;
}

function wrongValue(name: string, value: unknown, expected: string): PredictorError {
  const got = describe(value);
  return new PredictorError(`The input "${name}" takes ${expected}, and was given ${got}. Correct it.`, {
    input: name,
    got,
  });
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (isList(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return `an object of ${Object.keys(value).join(", ") || "nothing"}`;
  // JSON has no word for NaN and the infinities
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
