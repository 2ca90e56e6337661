/** @file What training and evaluation see of a project's data. */
import type { ImageFraming, ResizeFilter } from "../decoding/framing.js";
import type { Offsets } from "../flow/masks.js";
import type { Split } from "../tasks/evaluation.js";
import type { Labels } from "../tasks/index.js";
import type { DatasetColumn } from "./tables/row-columns.js";

export type { ImageFraming, ResizeFilter } from "../decoding/framing.js";

/** Declares an image input: a column of paths, relative to the table. */
export interface ImageInputSpec {
  readonly kind: "image";
  readonly column: string;
  /** [height, width] in pixels of what the network sees; [0, 0] until `preprocessor` has been read. */
  readonly size: readonly [height: number, width: number];
  /** How pictures of other proportions are brought to that; without it both axes are stretched, each by its own scale. */
  readonly framing?: ImageFraming;
  /** Resamples pixels; without it `lanczos`. */
  readonly filter?: ResizeFilter;
  /** A preprocessor_config.json that says size, framing and filter, until the project is loaded. */
  readonly preprocessor?: string;
  /** 3 (RGB, default) or 1 (grey). */
  readonly channels: 1 | 3;
  /** Values of a TIFF's samples that become black and white; without it samples are 8 or 16-bit unsigned. */
  readonly range?: readonly [low: number, high: number];
}

/** Declares a vector of numbers, [length]. */
export interface NumericInputSpec {
  readonly kind: "numeric";
  /** Columns of one number each, or one column of lists. */
  readonly columns: readonly string[];
  /** Numbers in each list, where the one column holds lists; null: every column holds single numbers. */
  readonly listLength: number | null;
  /** Whether the network sees (number − mean) / deviation. */
  readonly standardize: boolean;
  /** A missing number stops the work, or takes the mean. */
  readonly missing: "error" | "mean";
  /** Of the training rows; null until the data has been read, or where nothing needs them. */
  readonly statistics: NumericStatistics | null;
  /** The token input that it has a vector for each token of, [length, `listLength`]; what models beside the network make. */
  readonly perToken?: string;
}

/** Numbers of one name that no table holds and nothing scales: what a model beside the network or a frozen trunk makes. */
export function vectorSpec(name: string, width: number): NumericInputSpec {
  return {
    kind: "numeric",
    columns: [name],
    listLength: width,
    standardize: false,
    missing: "error",
    statistics: null,
  };
}

/** One entry per number of the vector. */
export interface NumericStatistics {
  readonly mean: readonly number[];
  /** Of the population; 1 where all training rows agree, so that dividing by it does nothing. */
  readonly deviation: readonly number[];
}

/** Declares one of several categories, as [categories] (one-hot) or as [1] (an index). */
export interface CategoricalInputSpec {
  readonly kind: "categorical";
  readonly column: string;
  readonly categories: readonly string[];
  /**
   * `one-hot`: a missing cell is all zeros. `index`: for `layers.embedding`; categories count from 1 and a missing
   * cell is 0.
   */
  readonly encoding: "one-hot" | "index";
  /** A missing cell stops the work, or is a category of its own, as it always was in earlier runs. */
  readonly missing?: "error" | "category";
}

/** Declares a sequence of tokens as ids, [longest of the batch]; 0 is padding, the vocabulary counts from 1. */
export interface TokensInputSpec {
  readonly kind: "tokens";
  /** A column of text, or of lists of tokens. */
  readonly column: string;
  /** Tokens in the order of their ids, or a text file of one per line, until the data has been read. */
  readonly vocabulary: readonly string[] | string;
  /** Later tokens of a longer sequence are cut off; 0 until the project is loaded: as long as the tokenizer says. */
  readonly maxLength: number;
  /** `error`, or the token that stands for those that the vocabulary lacks. */
  readonly unknown: string;
  /** A missing cell stops the work; without it, it is a sequence without tokens, as an empty text is. */
  readonly missing?: "error";
  /** How text becomes tokens; lists are tokens already. */
  readonly split: "whitespace" | "characters";
  /** Whether the id after the vocabulary's stands for a token that is hidden. */
  readonly mask?: boolean;
  /** What makes the tokens instead of `vocabulary`, `unknown` and `split`. Its ids, from 0 up, are 1 less than ours. */
  readonly tokenizer?: TokenizerSpec;
}

/** A tokenizer.json, as Hugging Face's tokenizers are saved: what is known of it without running it. */
export interface TokenizerSpec {
  /** As it is written, relative to the project. */
  readonly file: string;
  /** sha256 of the file, hex: its name in the store; empty until the project is loaded. */
  readonly digest: string;
  /** The largest id and 1; 0 until the project is loaded. */
  readonly ids: number;
  /** Where a text that is too long is cut off; null until the project is loaded: where the file says. */
  readonly truncationSide: TokenSide | null;
  /** Whether the tokens that the file puts around a text are added: `[CLS]`, `</s>` and the like. */
  readonly specialTokens: boolean;
  /** Whether the column holds words, lists or divided by white space, each of which is cut by itself and has labels. */
  readonly words?: true;
  /** How models beside the network are fed; null until the project is loaded: as the file says. */
  readonly padding: TokenPadding | null;
}

export type TokenSide = "left" | "right";

/** How batches of texts are brought to one length. */
export interface TokenPadding {
  readonly id: number;
  readonly typeId: number;
  readonly side: TokenSide;
  /** All texts are at least so long; null: as long as the longest of the batch. */
  readonly length: number | null;
  /** Lengths are multiples of it; null: any. */
  readonly multiple: number | null;
}

export type InputSpec = ImageInputSpec | NumericInputSpec | CategoricalInputSpec | TokensInputSpec;

/** Shape of one row of an input; null: as long as the longest row of the batch. */
export function inputShape(spec: InputSpec): (number | null)[] {
  switch (spec.kind) {
    case "image":
      return [...spec.size, spec.channels];
    case "numeric":
      return [...(spec.perToken === undefined ? [] : [null]), spec.listLength ?? spec.columns.length];
    case "categorical":
      return [spec.encoding === "one-hot" ? spec.categories.length : 1];
    case "tokens":
      return [null];
    default:
      return spec satisfies never;
  }
}

/** Values of some rows of one input, row by row. */
export type InputValues = Uint8Array | Float32Array | Int32Array;

/** One named input, readable row by row. */
export interface InputSource {
  /** Complete: with the statistics and the vocabulary that its values were made with. */
  readonly spec: InputSpec;
  /**
   * Values of some rows, [rows.length, …], in a new array: pixels 0…255, numbers, ids. Sequences are padded with 0 to
   * the longest one among these rows, at least to 1.
   * @param rows row numbers of the dataset
   */
  read(rows: ArrayLike<number>): InputValues;
  close(): void;
}

/** Decoded pixels of one image column, readable row by row without decoding again. */
export interface PixelSource extends InputSource {
  readonly spec: ImageInputSpec;
  /** Path of each row's image, relative to the table's folder, as written in the table. */
  readonly paths: readonly string[];
  /** Size of the original image (after EXIF orientation), one per row. */
  readonly originalWidth: Float32Array;
  readonly originalHeight: Float32Array;
  /**
   * Pixels of some rows, [rows.length, height, width, channels].
   * @param rows row numbers of the dataset
   * @param out receives them from its start; default a new array
   */
  read(rows: ArrayLike<number>, out?: Uint8Array): Uint8Array;
}

/** Token ids of one column. */
export interface TokenSource extends InputSource {
  readonly spec: TokensInputSpec;
  /** Tokens in each row, at most `maxLength`. */
  readonly lengths: Int32Array;
  /** Where a tokenizer makes the tokens: the text of a row as it is written, and what its tokens stand for. */
  readonly texts?: { whole(row: number): string; tokens(row: number): string[] };
}

export function isPixelSource(source: InputSource): source is PixelSource {
  return source.spec.kind === "image";
}

export function isTokenSource(source: InputSource): source is TokenSource {
  return source.spec.kind === "tokens";
}

/** What is shown of one row: its tokens in words, or the whole text where a tokenizer cuts it and each has no answer. */
export function wordsOf(source: TokenSource, row: number): string[] {
  const isWhole = source.texts !== undefined && source.spec.tokenizer?.words !== true;
  return isWhole ? [source.texts.whole(row)] : tokensOf(source, row);
}

/** The tokens of one row, in words. */
export function tokensOf({ spec, lengths, read, texts }: TokenSource, row: number): string[] {
  if (texts !== undefined) return texts.tokens(row);
  const { vocabulary } = spec;
  return Array.from(read([row]))
    .slice(0, lengths[row])
    .map((id) => (typeof vocabulary === "string" ? String(id) : (vocabulary[id - 1] ?? "?")));
}

/** The first token input. */
export function firstTokens(inputs: Readonly<Record<string, InputSource>>): TokenSource | undefined {
  return Object.values(inputs).find(isTokenSource);
}

/** The first image input: it names the rows, and its size scales labels in pixels. */
export function firstPixels(inputs: Readonly<Record<string, InputSource>>): PixelSource | undefined {
  return Object.values(inputs).find(isPixelSource);
}

/** Specs of open inputs, complete: what a run keeps to read other data in the same way. */
export function specsOf(inputs: Readonly<Record<string, InputSource>>): Readonly<Record<string, InputSpec>> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { spec }]) => [name, spec]));
}

/** A row that was left out, and why. */
export interface SkippedRow {
  /** 1-based row of its table, not counting the header. */
  readonly row: number;
  /** The row's table, where there are several. */
  readonly table?: string;
  readonly sample: string;
  readonly reason: string;
}

/** A table of the dataset and its rows. */
export interface TableRows {
  readonly table: string;
  /** Row numbers of the dataset, ascending. */
  readonly rows: Int32Array;
}

/** How many labels of a task were missing and follow from labels of tasks that are conditioned on it. */
export interface ImpliedLabels {
  readonly task_path: string;
  readonly implied: number;
}

/** Labelled tables whose inputs are ready. Rows are numbered from 0 through all tables, skipped ones left out. */
export interface Dataset {
  readonly rows: number;
  /**
   * Unique name of each row: the path of its first image (the row's number where there is no image input), with
   * `#<row>` where a path occurs more than once in its table, and `<table>:` before it where tables share it.
   */
  readonly ids: readonly string[];
  /** Row numbers of each split, ascending. */
  readonly splits: Readonly<Record<Split, Int32Array>>;
  /** Labels of each task of the graph, in its order, over all rows. */
  readonly labels: readonly Labels[];
  /** How much each row counts in training, from 0 up; null where all count alike. */
  readonly weights?: Float32Array | null;
  /** Where the tokens of each row lie among the labels of tasks per token; null where the graph has none. */
  readonly offsets?: Offsets | null;
  /** Named inputs. */
  readonly inputs: Readonly<Record<string, InputSource>>;
  readonly tables: readonly TableRows[];
  /** What the tables say of each row, over all rows; none by default. */
  readonly columns?: readonly DatasetColumn[];
  /** Tasks with implied labels; empty unless asked for. */
  readonly implied: readonly ImpliedLabels[];
  readonly skipped: readonly SkippedRow[];
  /** What is odd about the cells of inputs; none by default. */
  readonly warnings?: readonly string[];
  /** sha256 over the tables' content and the images' contents, hex. */
  readonly digest: string;
  close(): void;
}
