/** @file Where the tokenizer of an input lies: in the project, or by its content in the store of a run. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, StoreError } from "../../errors.js";
import type { InputSpec, TokensInputSpec } from "../dataset.js";
import { openTokenizer, needsOf, type Tokenizer } from "./tokenizer.js";
import { readTokenizerFile } from "./tokenizer-file.js";

/** Where tokenizers are looked for. */
export interface TokenizerPlaces {
  /** What a tokenizer's own path is relative to. */
  readonly projectDir: string;
  /** Of a run, whose tokenizers lie in its store alone, or of an export, beside its model. */
  readonly stored?:
    | {
        /** @param digest sha256 of the file, hex */
        fileOf(input: string, digest: string): string;
        /** Whose packages are loaded; null: there is none. */
        readonly packagesDir: string | null;
      }
    | undefined;
}

/** Where a store keeps a tokenizer.json, once for all runs. @param digest sha256 of the file, hex */
export function storedTokenizer(storeDir: string, digest: string): string {
  return join(storeDir, "models", `${digest}.tokenizer.json`);
}

/** What an export calls the tokenizer.json of an input. */
export function exportedTokenizer(input: string): string {
  return `${input}.tokenizer.json`;
}

/** Digests of the tokenizers that inputs are cut by, and their paths as they are written. */
export function tokenizersOf(
  inputs: Readonly<Record<string, InputSpec>>,
): { readonly input: string; readonly file: string; readonly digest: string }[] {
  return Object.entries(inputs).flatMap(([input, spec]) =>
    spec.kind === "tokens" && spec.tokenizer !== undefined ? [{ input, ...spec.tokenizer }] : [],
  );
}

/**
 * @param spec complete
 * @throws ConfigError where it cannot be opened, or has changed since the project was loaded; StoreError where the store
 * lacks it, or has another
 */
export function openInputTokenizer(
  input: string,
  spec: TokensInputSpec & Required<Pick<TokensInputSpec, "tokenizer">>,
  { projectDir, stored }: TokenizerPlaces,
): Tokenizer {
  const { file: name, digest } = spec.tokenizer;
  const needs = needsOf(spec);
  if (stored !== undefined) {
    const file = stored.fileOf(input, digest);
    assertStored(name, digest, file);
    return openTokenizer(readTokenizerFile(file, name).document, needs, stored.packagesDir);
  }
  const found = readTokenizerFile(resolve(projectDir, name), name);
  if (found.digest !== digest) {
    throw new ConfigError(`The tokenizer ${name} has changed while it was used. Start again.`, { file: name });
  }
  return openTokenizer(found.document, needs, projectDir);
}

function assertStored(name: string, digest: string, file: string): void {
  if (!existsSync(file)) {
    throw new StoreError(
      `The tokenizer ${name}, which cuts the texts of this run, is not in its place: ${file}. Copy it there from the store or the export that the run lies in.`,
      { file },
    );
  }
  if (createHash("sha256").update(readFileSync(file)).digest("hex") === digest) return;
  throw new StoreError(
    `The tokenizer ${name}, which cuts the texts of this run, has been changed: ${file}. Put back the file of that digest.`,
    { file, digest },
  );
}
