/** @file Declares the named inputs of a project. */
import { ConfigError } from "../../errors.js";
import { checkOptions, oneOf, TEXT, TRUTH } from "../../options.js";
import type { CategoricalInputSpec, ImageInputSpec, NumericInputSpec, TokensInputSpec } from "../dataset.js";

/**
 * An image column: paths relative to the table. Images are stretched to `size`, so a coordinate measured along the
 * width or height of the original stays the same fraction of it. The trunk sees [height, width, channels] in [0, 1].
 * @param options.size [height, width] in pixels
 * @param options.channels 3 for colour (default), 1 for grey
 * @param options.range values of a TIFF's samples that become black and white, for what is not 8 or 16-bit unsigned
 *   over its whole range: `[0, 1]` for floats, `[0, 4095]` for 12 bits in 16, `[-1000, 3000]` for signed samples
 */
export function image(options: {
  readonly column: string;
  readonly size: readonly [height: number, width: number];
  readonly channels?: 1 | 3;
  readonly range?: readonly [low: number, high: number];
}): ImageInputSpec {
  checkOptions("image", options, { column: TEXT, size: null, channels: oneOf(1, 3), range: null });
  const { column, size, channels = 3, range } = options;
  assertColumn("image", column);
  if (!Array.isArray(size) || size.length !== 2 || !size.every(isPositiveInteger)) {
    throw new ConfigError(
      `image({ column: "${column}" }) needs size: [height, width] in whole pixels, e.g. [64, 64].`,
      {
        column,
        size,
      },
    );
  }
  // left out where it says nothing, so that specs of earlier runs stay equal to those of today
  const spec = { kind: "image", column, size: [size[0], size[1]], channels } as const;
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
  if (!isPositiveInteger(length)) {
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
  if (!isPositiveInteger(maxLength)) {
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

/** The vocabulary with the token that stands for unknown ones. */
export function completeVocabulary(vocabulary: readonly string[], unknown: string): string[] {
  return unknown === "error" || vocabulary.includes(unknown) ? [...vocabulary] : [...vocabulary, unknown];
}

/**
 * Numbers of different ids that an input gives, padding and the mask among them: the `inputDim` of an embedding.
 * @throws ConfigError where the vocabulary is a file: it is only read with the data
 */
export function idCount(spec: CategoricalInputSpec | TokensInputSpec): number {
  if (spec.kind === "categorical") return spec.categories.length + 1;
  if (typeof spec.vocabulary !== "string") return spec.vocabulary.length + (spec.mask === true ? 2 : 1);
  throw new ConfigError(
    `The vocabulary of tokens({ column: "${spec.column}" }) is a file, which is only read with the data. Use the specs that the trunk function is given as its third argument, or list the tokens.`,
    { column: spec.column, vocabulary: spec.vocabulary },
  );
}

function assertColumn(call: string, column: unknown): void {
  if (column !== undefined) return;
  throw new ConfigError(`${call}({ … }) names no column. Add e.g. column: "${call}".`, { call });
}

function isPositiveInteger(value: number): boolean {
  return Number.isInteger(value) && value > 0;
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
