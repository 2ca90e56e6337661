/** @file What a model that runs beside the network is opened for, and what it does then, whatever runs it. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { InputValues, TokenizerSpec, TokenPadding } from "../../../data/dataset.js";
import { ConfigError } from "../../../errors.js";
import type { PreprocessingInput } from "./preprocessing.js";

interface NeedsOfAny {
  /** Its name in messages. */
  readonly model: string;
  readonly file: string;
  /** Default: its first. */
  readonly output?: string | undefined;
  /** Whose packages may be loaded; null: there is none. */
  readonly projectDir: string | null;
}

/** What a model is opened for that reads pictures. */
export interface ModelNeeds extends NeedsOfAny {
  readonly preprocessing: PreprocessingInput;
  /** Of the pictures. */
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
}

/**
 * What becomes of a vector for each token: their mean, that of the first token (`[CLS]` of BERT and its kin), or that of
 * the last (of decoders); or nothing, where there is an answer for each.
 */
export type TextPooling = "mean" | "first" | "last" | "none";

/** What a model is opened for that reads texts. */
export interface TextNeeds extends NeedsOfAny {
  readonly text: {
    readonly tokenizer: Pick<TokenizerSpec, "file" | "ids"> & { readonly padding: TokenPadding };
    readonly maxLength: number;
    /** null: the mean, where there is a vector for each token. */
    readonly pooling: TextPooling | null;
    /** Whether it has yet to be seen that model and tokenizer fit each other. */
    readonly isNew: boolean;
  };
}

/** An open model. Owns what runs it: `close` ends that. */
export interface ExternalModel {
  readonly output: string;
  /** Of what it puts out for one picture or text, without pooling for one token; a map has its channels last. */
  readonly shape: readonly number[];
  /** Of texts, where there is a vector for each token. */
  readonly pooling?: TextPooling;
  /** What computes, as another program's answers differ in their last digits. */
  readonly runtime: string;
  /**
   * @param values pixels [rows, height, width, channels], 0 to 255; or ids [rows, length], counted from 1, 0: padding
   * @returns [rows, …shape], without pooling [rows, length, …shape]
   */
  run(values: InputValues, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** @throws ConfigError where a model's file is not there */
export function assertThere(file: string, model: string): void {
  if (existsSync(file)) return;
  throw new ConfigError(`The model ${model} cannot be opened: ${file} is not there. Correct its path.`, {
    model,
    file,
  });
}

/** sha256 of a model's file, hex. @throws ConfigError where it is not there */
export function modelDigest(file: string, model: string): string {
  assertThere(file, model);
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
