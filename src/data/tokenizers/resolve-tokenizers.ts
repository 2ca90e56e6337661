/** @file Tokenizer inputs of a project, completed by what their tokenizer.json says. */
import { resolve } from "node:path";
import { ConfigError } from "../../errors.js";
import type { InputSpec, TokensInputSpec } from "../dataset.js";
import { readTokenizerFile } from "./tokenizer-file.js";

type Inputs = Readonly<Record<string, InputSpec>>;

/**
 * Inputs with the ids, the longest text and the padding that their tokenizer.json says.
 * @throws ConfigError where one cannot be read, or nothing says how long a text may be
 */
export function withTokenizers(inputs: Inputs, projectDir: string): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => [
      name,
      spec.kind === "tokens" && spec.tokenizer !== undefined ? completed(spec, projectDir) : spec,
    ]),
  );
}

function completed(spec: TokensInputSpec, projectDir: string): TokensInputSpec {
  const { tokenizer } = spec;
  if (tokenizer === undefined) return spec;
  const found = readTokenizerFile(resolve(projectDir, tokenizer.file), tokenizer.file);
  const maxLength = spec.maxLength > 0 ? spec.maxLength : found.maxLength;
  if (maxLength === null) {
    throw new ConfigError(
      `Neither the tokenizer ${tokenizer.file} nor a tokenizer_config.json beside it says how long a text may be. Say it: tokenizer({ maxLength: 128 }), at most what its model takes.`,
      { file: tokenizer.file },
    );
  }
  return {
    ...spec,
    maxLength,
    tokenizer: {
      ...(tokenizer.words === undefined ? {} : { words: tokenizer.words }),
      ...{ file: tokenizer.file, digest: found.digest, ids: found.ids, specialTokens: tokenizer.specialTokens },
      truncationSide: tokenizer.truncationSide ?? found.truncationSide,
      padding: tokenizer.padding === null ? found.padding : { ...tokenizer.padding, id: found.padding.id },
    },
  };
}
