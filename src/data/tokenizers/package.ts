/** @file Hugging Face's tokenizers, where the user has installed them: an optional peer, loaded when an input needs it. */
import { ConfigError, lineOf } from "../../errors.js";
import { loadOptionalPackage } from "../../platform/optional-package.js";

const PACKAGE = "@huggingface/tokenizers";

/** A tokenizer of the package, as far as it is used here. */
export interface PackageTokenizer {
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean; readonly return_token_type_ids?: true },
  ): {
    /** undefined where a piece is unknown, and nothing stands for those that are. */
    readonly ids: readonly (number | undefined)[];
    readonly token_type_ids?: readonly number[];
  };
  decode(ids: readonly number[]): string;
  id_to_token(id: number): string | undefined;
}

/** The package's interface, as far as it is used here. */
interface TokenizersPackage {
  readonly Tokenizer: new (document: object, config: object) => PackageTokenizer;
}

/**
 * Loads the package from the user's project, else from beside this one.
 * @param projectDir null: there is no project
 * @throws ConfigError where it is not installed, or does not load, with what to do
 */
export function loadTokenizersPackage(projectDir: string | null): TokenizersPackage {
  const loaded = loadOptionalPackage(PACKAGE, projectDir, unloadable);
  if (loaded !== null) return loaded as TokenizersPackage;
  throw new ConfigError(
    `A tokenizer.json needs the package ${PACKAGE}, which is not installed${projectDir === null ? "" : ` for ${projectDir}`}. Install it there: npm install ${PACKAGE}.`,
    { package: PACKAGE },
  );
}

function unloadable(error: unknown): ConfigError {
  return new ConfigError(
    `The package ${PACKAGE} does not load: ${lineOf(error)}. Install it again: npm install ${PACKAGE}.`,
    { package: PACKAGE },
    { cause: error },
  );
}
