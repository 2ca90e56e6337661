/** @file Declares the named inputs of a project. */
import { ConfigError } from "../../errors.js";
import { checkOptions, COUNT, type OptionRule, oneOf, TEXT, TRUTH } from "../../options.js";
import type {
  CategoricalInputSpec,
  ImageFraming,
  ImageInputSpec,
  NumericInputSpec,
  ResizeFilter,
  TokenizerSpec,
  TokenPadding,
  TokenSide,
  TokensInputSpec,
} from "../dataset.js";

/** Options of {@link image}. */
export interface ImageOptions {
  readonly column: string;
  readonly size?: readonly [height: number, width: number];
  readonly channels?: 1 | 3;
  readonly range?: readonly [low: number, high: number];
  readonly fit?: "stretch" | ImageFraming["fit"];
  readonly resizeTo?: ImageFraming["resizeTo"];
  readonly background?: number;
  readonly filter?: ResizeFilter;
  readonly preprocessor?: string;
}

/**
 * An image column: paths relative to the table. The trunk sees [height, width, channels] in [0, 1].
 * @param options.size [height, width] in pixels
 * @param options.channels 3 for colour (default), 1 for grey
 * @param options.range values of a TIFF's samples that become black and white, for what is not 8 or 16-bit unsigned
 *   over its whole range: `[0, 1]` for floats, `[0, 4095]` for 12 bits in 16, `[-1000, 3000]` for signed samples
 * @param options.fit `stretch` (default): each axis by its own scale, so that all of the picture is seen; `crop`: its
 *   middle, in its own proportions; `letterbox`: all of it in its own proportions, between bars
 * @param options.resizeTo of `crop`: what the picture is resized to before its middle is cut out: length of the shorter
 *   edge, or [height, width]; default: just large enough
 * @param options.background of `crop` and `letterbox`: grey of what lies beyond the picture, 0 (default) to 255
 * @param options.filter `nearest`, `bilinear`, `bicubic` or `lanczos` (default)
 * @param options.preprocessor a preprocessor_config.json, or the model beside which it lies, relative to the project: it
 *   says size, fit and filter instead
 */
export function image(options: ImageOptions): ImageInputSpec {
  checkOptions<ImageOptions>("image", options, {
    ...{ column: TEXT, size: null, channels: oneOf(1, 3), range: null },
    ...{ fit: oneOf("stretch", "crop", "letterbox"), resizeTo: RESIZE_TO, background: GREY },
    ...{ filter: oneOf("nearest", "bilinear", "bicubic", "lanczos"), preprocessor: TEXT },
  });
  const { column, channels = 3, range, filter, preprocessor } = options;
  assertColumn("image", column);
  const framing = framingOf(options);
  // left out where it says nothing, so that specs of earlier runs stay equal to those of today
  const spec = {
    ...({ kind: "image", column, size: sizeOf(options), channels } as const),
    ...(framing === null ? {} : { framing }),
    ...(filter === undefined ? {} : { filter }),
    ...(preprocessor === undefined ? {} : { preprocessor }),
  };
  if (range === undefined) return spec;
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [Number.NaN, Number.NaN];
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new ConfigError(
      `image({ column: "${column}" }) has range ${JSON.stringify(range)}. Write [low, high]: the values that become black and white, e.g. [0, 4095].`,
      { column, range },
    );
  }
  return { ...spec, range: [low, high] };
}

const RESIZE_TO: OptionRule = {
  accepts: (value) => isExtent(value) || (Array.isArray(value) && value.length === 2 && value.every(isExtent)),
  expected: "length of the shorter edge, or [height, width], in whole pixels",
};
const GREY: OptionRule = {
  accepts: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255,
  expected: "a grey from 0 (black) to 255 (white)",
};

function sizeOf({ column, size, fit, filter, preprocessor }: ImageOptions): ImageInputSpec["size"] {
  if (preprocessor !== undefined) {
    const [twice] = Object.entries({ size, fit, filter }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    if (twice === undefined) return [0, 0];
    throw new ConfigError(
      `image({ column: "${column}" }) has both ${twice} and preprocessor, which says it, too. Leave out one of them.`,
      { column, option: twice },
    );
  }
  if (Array.isArray(size) && size.length === 2 && size.every(isExtent)) return [Number(size[0]), Number(size[1])];
  throw new ConfigError(`image({ column: "${column}" }) needs size: [height, width] in whole pixels, e.g. [64, 64].`, {
    column,
    size,
  });
}

function framingOf({ column, fit = "stretch", resizeTo, background }: ImageOptions): ImageFraming | null {
  const [needless, kinds] =
    resizeTo !== undefined && fit !== "crop"
      ? ["resizeTo", 'fit: "crop"']
      : background !== undefined && fit === "stretch"
        ? ["background", 'fit: "letterbox" or "crop"']
        : [null, ""];
  if (needless !== null) {
    throw new ConfigError(
      `image({ column: "${column}" }) has ${needless}, which goes with ${kinds}. Say so, or leave it out.`,
      { column, option: needless },
    );
  }
  if (fit === "stretch") return null;
  return {
    fit,
    ...(resizeTo === undefined ? {} : { resizeTo }),
    ...(background === undefined || background === 0 ? {} : { background }),
  };
}

function isExtent(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0;
}

/** Where the numbers of a vector stand: one column each, or lists of one length in one column. */
export type NumericColumns =
  | { readonly columns: readonly string[] }
  | { readonly column: string; readonly length: number };

/**
 * A vector of numbers. The trunk sees [length].
 * @param options.standardize whether the mean over the training rows is taken away and the rest divided by their
 *   standard deviation (default true); both are kept with the run, so that other data is treated alike
 * @param options.missing an empty cell is an error (default), or takes the mean over the training rows
 */
export function numeric(
  where: NumericColumns,
  options: { readonly standardize?: boolean; readonly missing?: "error" | "mean" } = {},
): NumericInputSpec {
  checkOptions("numeric", where, { columns: null, column: TEXT, length: null });
  checkOptions("numeric(…, options)", options, { standardize: TRUTH, missing: oneOf("error", "mean") });
  const { standardize = true, missing = "error" } = options;
  const rest = { standardize, missing, statistics: null };
  if ("columns" in where) {
    const { columns } = where;
    if (!Array.isArray(columns) || columns.length === 0) {
      throw new ConfigError('numeric({ columns }) needs at least one column, e.g. ["age", "height"].', { columns });
    }
    const wrong = columns.find((column) => typeof column !== "string" || column === "");
    if (wrong !== undefined) {
      throw new ConfigError(`numeric({ columns }) has the column ${JSON.stringify(wrong)}; write the name of one.`, {
        columns,
      });
    }
    return { kind: "numeric", columns: [...columns], listLength: null, ...rest };
  }
  const { column, length } = where;
  assertColumn("numeric", column);
  if (!isExtent(length)) {
    throw new ConfigError(`numeric({ column: "${column}" }) needs length: how many numbers each list holds.`, {
      column,
      length,
    });
  }
  return { kind: "numeric", columns: [column], listLength: length, ...rest };
}

/**
 * One of several categories. The trunk sees [categories] as 0 and 1; with `encoding: "index"` it sees [1] for
 * `layers.embedding({ inputDim: categories.length + 1, … })`, where categories count from 1.
 * @param options.missing an empty cell is an error (default), or a category of its own: all zeros, index 0
 */
export function categorical(options: {
  readonly column: string;
  readonly categories: readonly string[];
  readonly encoding?: "one-hot" | "index";
  readonly missing?: "error" | "category";
}): CategoricalInputSpec {
  checkOptions("categorical", options, {
    column: TEXT,
    categories: null,
    encoding: null,
    missing: oneOf("error", "category"),
  });
  const { column, categories, encoding = "one-hot", missing = "error" } = options;
  assertColumn("categorical", column);
  assertNames(categories, `categorical({ column: "${column}" })`, "categories", { column });
  const spelled = new Set(categories.map((category) => category.normalize("NFC")));
  if (spelled.size < categories.length) {
    throw new ConfigError(
      `categorical({ column: "${column}" }) lists a category twice, in two spellings that look the same (Unicode NFC and NFD). Keep one.`,
      { column },
    );
  }
  if (encoding !== "one-hot" && encoding !== "index") {
    throw new ConfigError(
      `categorical({ column: "${column}" }) has encoding ${JSON.stringify(encoding)}. Write "one-hot" or "index".`,
      { column, encoding },
    );
  }
  return { kind: "categorical", column, categories: [...categories], encoding, missing };
}

/**
 * A sequence of tokens from a column of text or of lists. The trunk sees ids, [null]: each batch is padded with 0 to
 * its longest sequence, and the vocabulary counts from 1, so an embedding has `inputDim: vocabulary.length + 1`.
 * @param options.vocabulary the tokens, or a text file of one per line, relative to the project
 * @param options.maxLength later tokens of a longer sequence are cut off
 * @param options.unknown `error` (default): tokens that the vocabulary lacks stop the work; any other text is the
 *   token that stands for them, put at the end of the vocabulary unless it is in it
 * @param options.split text is split at white space (default) or into characters
 * @param options.missing an empty cell is a sequence without tokens, as an empty list is (default), or an error
 * @param options.mask whether one more id, after the vocabulary's, stands for a token that masked language modelling
 *   hides; `idCount` counts it (default false)
 */
export function tokens(options: {
  readonly column: string;
  readonly vocabulary: readonly string[] | string;
  readonly maxLength: number;
  readonly unknown?: string;
  readonly split?: "whitespace" | "characters";
  readonly mask?: boolean;
  readonly missing?: "error" | "empty";
}): TokensInputSpec {
  checkOptions("tokens", options, {
    column: TEXT,
    vocabulary: null,
    maxLength: null,
    unknown: TEXT,
    split: null,
    mask: TRUTH,
    missing: oneOf("error", "empty"),
  });
  const {
    column,
    vocabulary,
    maxLength,
    unknown = "error",
    split = "whitespace",
    mask = false,
    missing = "empty",
  } = options;
  assertColumn("tokens", column);
  const where = `tokens({ column: "${column}" })`;
  if (!isExtent(maxLength)) {
    throw new ConfigError(`${where} needs maxLength: how many tokens a sequence keeps, e.g. 128.`, {
      column,
      maxLength,
    });
  }
  if (split !== "whitespace" && split !== "characters") {
    throw new ConfigError(`${where} has split ${JSON.stringify(split)}. Write "whitespace" or "characters".`, {
      column,
      split,
    });
  }
  // left out where it says nothing, so that specs of earlier runs stay equal to those of today
  const rest = {
    ...{ maxLength, unknown, split },
    ...(mask ? { mask } : {}),
    ...(missing === "error" ? { missing } : {}),
  };
  if (typeof vocabulary === "string") return { kind: "tokens", column, vocabulary, ...rest };
  assertNames(vocabulary, where, "vocabulary", { column });
  return { kind: "tokens", column, vocabulary: completeVocabulary(vocabulary, unknown), ...rest };
}

/** Options of {@link tokenizer}. */
export interface TokenizerOptions {
  readonly column: string;
  readonly file: string;
  readonly maxLength?: number;
  readonly truncationSide?: TokenSide;
  readonly padding?: "file" | "none";
  readonly specialTokens?: boolean;
  readonly words?: boolean;
  readonly missing?: "error" | "empty";
}

/**
 * Texts as a Hugging Face tokenizer.json cuts them (with the package @huggingface/tokenizers, an optional peer). The
 * trunk sees ids, [null], as of `tokens`: 0 is padding, and the tokenizer's own ids are 1 less, so that an embedding has
 * `inputDim: idCount(specs.text)`. An ONNX text encoder is applied to it with `pretrained`, and sees the tokenizer's ids.
 * @param options.column raw texts
 * @param options.file the tokenizer.json, relative to the project
 * @param options.maxLength later tokens of a longer text are cut off, the special ones kept; default: as the file, or the
 *   tokenizer_config.json beside it, says
 * @param options.truncationSide where they are cut off; default: as the file says, else `right`
 * @param options.padding `file` (default): models beside the network are fed batches that are padded as the file says;
 *   `none`: no longer than they must be
 * @param options.specialTokens whether the file's tokens around a text are added (default true)
 * @param options.words whether the column holds words, as lists or divided by white space, each of which is cut by itself:
 *   for tasks per token, whose labels are one per word and belong to its first piece (default false)
 * @param options.missing an empty cell is an error (default), or a text without words
 */
export function tokenizer(options: TokenizerOptions): TokensInputSpec {
  checkOptions<TokenizerOptions>("tokenizer", options, {
    ...{ column: TEXT, file: TEXT, maxLength: COUNT, truncationSide: oneOf("left", "right") },
    ...{ padding: oneOf("file", "none"), specialTokens: TRUTH, words: TRUTH },
    missing: oneOf("error", "empty"),
  });
  const { column, file, maxLength = 0, truncationSide = null, padding = "file", missing = "error" } = options;
  assertColumn("tokenizer", column);
  if (file === undefined) {
    throw new ConfigError(
      `tokenizer({ column: "${column}" }) names no file. Add e.g. file: "encoder/tokenizer.json", relative to the project.`,
      { column },
    );
  }
  return {
    ...{ kind: "tokens", column, vocabulary: [], maxLength, unknown: "error", split: "whitespace" },
    ...(missing === "error" ? { missing } : {}),
    tokenizer: {
      ...{ file, digest: "", ids: 0, truncationSide, specialTokens: options.specialTokens ?? true },
      ...(options.words === true ? { words: true } : {}),
      padding: padding === "none" ? NO_PADDING : null,
    },
  };
}

const NO_PADDING: TokenPadding = { id: 0, typeId: 0, side: "right", length: null, multiple: null };

/** The vocabulary with the token that stands for unknown ones. */
export function completeVocabulary(vocabulary: readonly string[], unknown: string): string[] {
  return unknown === "error" || vocabulary.includes(unknown) ? [...vocabulary] : [...vocabulary, unknown];
}

/**
 * Numbers of different ids that an input gives, padding and the mask among them: the `inputDim` of an embedding.
 * @throws ConfigError where the vocabulary is a file: it is only read with the data, a tokenizer with the project
 */
export function idCount(spec: CategoricalInputSpec | TokensInputSpec): number {
  if (spec.kind === "categorical") return spec.categories.length + 1;
  if (spec.tokenizer !== undefined) return countOfTokenizer(spec.column, spec.tokenizer);
  if (typeof spec.vocabulary !== "string") return spec.vocabulary.length + (spec.mask === true ? 2 : 1);
  throw new ConfigError(
    `The vocabulary of tokens({ column: "${spec.column}" }) is a file, which is only read with the data. Use the specs that the trunk function is given as its third argument, or list the tokens.`,
    { column: spec.column, vocabulary: spec.vocabulary },
  );
}

function countOfTokenizer(column: string, { ids, file }: TokenizerSpec): number {
  if (ids > 0) return ids + 1;
  throw new ConfigError(
    `How many ids tokenizer({ column: "${column}" }) has is read from ${file} with the project. Use the specs that the trunk function is given as its third argument.`,
    { column, file },
  );
}

function assertColumn(call: string, column: unknown): void {
  if (column !== undefined) return;
  throw new ConfigError(`${call}({ … }) names no column. Add e.g. column: "${call}".`, { call });
}

/** @throws ConfigError unless `names` are different texts, at least one */
export function assertNames(names: readonly string[], where: string, what: string, facts: object): void {
  if (!Array.isArray(names) || names.length === 0) {
    throw new ConfigError(`${where} needs ${what}: a list of texts.`, { ...facts });
  }
  const bad = names.findIndex((name) => typeof name !== "string" || name === "");
  if (bad >= 0) {
    throw new ConfigError(
      `${where}: number ${bad + 1} of its ${what} is ${JSON.stringify(names[bad])}. Each must be a text that is not empty.`,
      { ...facts, position: bad + 1 },
    );
  }
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw new ConfigError(`${where} lists "${name}" twice among its ${what}. Remove one.`, { ...facts, name });
    }
    seen.add(name);
  }
}
