/** @file A tokenizer.json, as Hugging Face's tokenizers are saved: what it says of ids, truncation and padding. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError, lineOf } from "../../errors.js";
import type { TokenPadding, TokenSide } from "../dataset.js";

/** What a file says, as far as it can be known without running it. */
export interface TokenizerFile {
  /** sha256, hex. */
  readonly digest: string;
  readonly document: object;
  /** The largest id and 1. */
  readonly ids: number;
  readonly truncationSide: TokenSide;
  /** Tokens of a text, those around it among them; null where nothing says. */
  readonly maxLength: number | null;
  readonly padding: TokenPadding;
}

const TOKENIZER_CONFIG = "tokenizer_config.json";
/** Files write a very large number where there is no longest text. */
const LONGEST = 1_000_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param name what messages call it
 * @throws ConfigError where it is not there, or is no tokenizer.json that can be followed
 */
export function readTokenizerFile(file: string, name: string): TokenizerFile {
  const bytes = readBytes(file, name);
  const document = fieldsOf(parsed(bytes, name));
  const model = fieldsOf(document.model);
  const ids = countIds(model.vocab, document.added_tokens);
  if (ids === 0) throw noTokenizer(name, 'it has no "model" with a "vocab"');
  const problem = unfaithful(document, model);
  if (problem !== null) {
    throw new ConfigError(
      `The tokenizer ${name} cannot be followed: ${problem}, of which other tokens would come than its model was trained with. Cut the texts in Python, and read lists of tokens with tokens({ … }).`,
      { file: name, problem },
    );
  }
  const truncation = fieldsOf(document.truncation);
  return {
    digest: createHash("sha256").update(bytes).digest("hex"),
    document,
    ids,
    truncationSide: sideOf(truncation.direction),
    maxLength: countIn(truncation.max_length) ?? longestBeside(file),
    padding: paddingOf(fieldsOf(document.padding), document.added_tokens),
  };
}

function readBytes(file: string, name: string): Uint8Array {
  const facts = { file: name };
  if (!existsSync(file)) {
    throw new ConfigError(
      `The tokenizer ${name} is not there: ${file}. Correct tokenizer({ file }), a path relative to the project.`,
      facts,
    );
  }
  if (!statSync(file).isFile()) {
    throw new ConfigError(`The tokenizer ${name} is no file. Name the tokenizer.json in it.`, facts);
  }
  return readFileSync(file);
}

function parsed(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw noTokenizer(name, lineOf(error).replace(/[. ]+$/, ""));
  }
}

function noTokenizer(name: string, reason: string): ConfigError {
  return new ConfigError(
    `${name} is no tokenizer.json: ${reason}. Give the tokenizer.json of a model on the Hugging Face hub, or what save() of Python's tokenizers or save_pretrained() of a fast tokenizer writes.`,
    { file: name, reason },
  );
}

/** Of a vocabulary by token, or as a list; and of the tokens added to it. */
function countIds(vocab: unknown, added: unknown): number {
  const own = Array.isArray(vocab) ? vocab.length : largest(Object.values(fieldsOf(vocab))) + 1;
  return own === 0 ? 0 : Math.max(own, largest(listOf(added).map((token) => fieldsOf(token).id)) + 1);
}

function largest(ids: readonly unknown[]): number {
  return ids.reduce<number>((most, id) => (Number.isInteger(id) ? Math.max(most, Number(id)) : most), -1);
}

/** What Hugging Face's package for JavaScript takes for something else, without saying so. */
function unfaithful(document: Fields, model: Fields): string | null {
  const { type, continuing_subword_prefix: prefix } = model;
  if (type === "BPE" && typeof prefix === "string" && prefix !== "") return 'its BPE has a "continuing_subword_prefix"';
  if (type === "WordLevel") return "its model is of the type WordLevel";
  if (type === "Unigram" && model.byte_fallback === true) return 'its Unigram has "byte_fallback"';
  if (listOf(document.added_tokens).some((token) => fieldsOf(token).single_word === true)) {
    return 'an added token is a "single_word"';
  }
  const part = partsOf(document.pre_tokenizer).find((each) => !isFaithful(each));
  return part === undefined ? null : `it splits texts by ${part.type} with the behavior ${part.behavior}`;
}

function isFaithful({ type, behavior, invert }: Fields): boolean {
  if (type === "Punctuation") return behavior === "Contiguous";
  if (type !== "Split") return true;
  return behavior === "Removed" || (behavior === "Isolated" && invert !== true);
}

/** A part, or those of a sequence of them. */
function partsOf(part: unknown): Fields[] {
  const own = fieldsOf(part);
  return [own, ...listOf(own.pretokenizers).flatMap(partsOf)];
}

function paddingOf(padding: Fields, added: unknown): TokenPadding {
  const fixed = countIn(fieldsOf(padding.strategy).Fixed);
  return {
    id: wholeIn(padding.pad_id) ?? padId(added),
    typeId: wholeIn(padding.pad_type_id) ?? 0,
    side: sideOf(padding.direction),
    length: fixed,
    multiple: countIn(padding.pad_to_multiple_of),
  };
}

const PAD_TOKENS = new Set(["[PAD]", "<pad>", "<|pad|>", "<PAD>"]);

/** Of a file without padding. Masked, so that hardly any model heeds it. */
function padId(added: unknown): number {
  const token = listOf(added)
    .map(fieldsOf)
    .find(({ content }) => PAD_TOKENS.has(String(content)));
  return wholeIn(token?.id) ?? 0;
}

/** What the tokenizer_config.json beside it says; null where there is none, or it says nothing. */
function longestBeside(file: string): number | null {
  const beside = join(dirname(file), TOKENIZER_CONFIG);
  if (!existsSync(beside)) return null;
  const longest = countIn(fieldsOf(parsed(readFileSync(beside), beside)).model_max_length);
  return longest === null || longest > LONGEST ? null : longest;
}

function sideOf(direction: unknown): TokenSide {
  return String(direction).toLowerCase() === "left" ? "left" : "right";
}

function countIn(value: unknown): number | null {
  return Number.isInteger(value) && Number(value) > 0 ? Number(value) : null;
}

function wholeIn(value: unknown): number | null {
  return Number.isInteger(value) && Number(value) >= 0 ? Number(value) : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
