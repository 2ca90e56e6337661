/** @file Raw texts of requests → ids, by the tokenizers that lie beside what is served. */
import { existsSync } from "node:fs";
import type { TokensInputSpec } from "../../data/dataset.js";
import { openInputTokenizer } from "../../data/tokenizers/stored-tokenizer.js";
import type { Tokenizer } from "../../data/tokenizers/tokenizer.js";
import { CoolError } from "../../errors.js";
import { HttpProblem } from "../../http/problem.js";

/** Where the tokenizers of a served model lie. */
export interface TokenizerFiles {
  /** By input. */
  readonly files: Readonly<Record<string, string>>;
  /** Whose packages are loaded; null: there is none. */
  readonly packagesDir: string | null;
}

type TextSpec = TokensInputSpec & Required<Pick<TokensInputSpec, "tokenizer">>;

/** Opens each tokenizer when a text first needs it: who sends ids needs none. */
export class TextCutter {
  readonly #places: TokenizerFiles;
  readonly #open = new Map<string, Tokenizer>();

  constructor(places: TokenizerFiles) {
    this.#places = places;
  }

  /**
   * Ids from 0 up, cut off at the input's longest text.
   * @throws HttpProblem 400 where texts cannot be cut here
   */
  ids(input: string, spec: TextSpec, text: string | readonly string[]): readonly number[] {
    const tokenizer = this.#open.get(input) ?? this.#opened(input, spec);
    this.#open.set(input, tokenizer);
    return tokenizer.encode(text).ids;
  }

  #opened(input: string, spec: TextSpec): Tokenizer {
    const { files, packagesDir } = this.#places;
    const file = files[input];
    if (file === undefined || !existsSync(file)) {
      throw cannotCut(
        input,
        `the tokenizer ${spec.tokenizer.file} is not beside this model. Serve the run, or a folder that cool export has written`,
      );
    }
    try {
      return openInputTokenizer(input, spec, { projectDir: "", stored: { fileOf: () => file, packagesDir } });
    } catch (error) {
      if (!(error instanceof CoolError)) throw error;
      throw cannotCut(input, error.message.replace(/\.$/, ""));
    }
  }
}

function cannotCut(input: string, why: string): HttpProblem {
  return new HttpProblem(
    400,
    "no_tokenizer",
    `Texts for the input "${input}" cannot be cut here: ${why}. Or send the ids that its tokenizer makes of a text.`,
    { input },
  );
}
