/** @file What a model that runs beside the network is opened for, and what it does then, whatever runs it. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { ConfigError } from "../../../errors.js";
import type { PreprocessingInput } from "./preprocessing.js";

/** What a model is opened for. */
export interface ModelNeeds {
  /** Its name in messages. */
  readonly model: string;
  readonly file: string;
  /** Default: its first. */
  readonly output?: string | undefined;
  readonly preprocessing: PreprocessingInput;
  /** Of the pictures. */
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
  /** Whose packages may be loaded; null: there is none. */
  readonly projectDir: string | null;
}

/** An open model. Owns what runs it: `close` ends that. */
export interface ExternalModel {
  readonly output: string;
  /** Of what it puts out for one picture; a map has its channels last. */
  readonly shape: readonly number[];
  /** What computes, as another program's answers differ in their last digits. */
  readonly runtime: string;
  /**
   * @param pixels [rows, height, width, channels], 0 to 255
   * @returns [rows, …shape]
   */
  run(pixels: Uint8Array, rows: number): Promise<Float32Array>;
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
