/** @file A tokenizer at work: from a text to ids, cut off and framed by special tokens as its file says. */
import { ConfigError, lineOf } from "../../errors.js";
import type { TokenSide, TokensInputSpec, TokenizerSpec } from "../dataset.js";
import { loadTokenizersPackage, type PackageTokenizer } from "./package.js";

/** Ids of one text, from 0 up. */
export interface EncodedText {
  readonly ids: readonly number[];
  /** How many there would be if nothing were cut off. */
  readonly whole: number;
  /** Of a text that is read as words: the first piece of each that is left, among the ids; −1: it is cut off, or has none. */
  readonly starts: readonly number[];
}

export interface Tokenizer {
  /** @param text where words are asked for, also a list of them; a text is then divided by white space */
  encode(text: string | readonly string[]): EncodedText;
  /** What each id stands for, as it can be shown. */
  show(ids: readonly number[]): string[];
}

/** What is asked of a tokenizer. */
export interface TokenizerNeeds extends Pick<TokenizerSpec, "file" | "specialTokens" | "words"> {
  readonly maxLength: number;
  readonly truncationSide: TokenSide;
}

/** @throws ConfigError for a spec whose project has not been loaded */
export function needsOf({ maxLength, tokenizer }: TokensInputSpec): TokenizerNeeds {
  if (tokenizer === undefined || tokenizer.truncationSide === null) {
    throw new ConfigError("The tokenizer of this input has not been read: load its project first.", {});
  }
  const { file, specialTokens, truncationSide, words } = tokenizer;
  return { file, specialTokens, truncationSide, maxLength, ...(words === undefined ? {} : { words }) };
}

/**
 * @param document a parsed tokenizer.json
 * @param projectDir whose packages are loaded; null: there is none
 * @throws ConfigError where the package is not installed, or does not know a part of the file, or where special tokens
 * alone are too many
 */
export function openTokenizer(document: object, needs: TokenizerNeeds, projectDir: string | null): Tokenizer {
  const tokenizer = build(needs.words === true ? forWords(document) : document, needs.file, projectDir);
  const frame = needs.specialTokens ? frameOf(tokenizer, needs.file) : { before: [], after: [] };
  const room = needs.maxLength - frame.before.length - frame.after.length;
  if (room < 1) {
    throw new ConfigError(
      `The tokenizer ${needs.file} puts ${frame.before.length + frame.after.length} tokens around a text, which leaves none of ${needs.maxLength} for the text itself. Raise tokenizer({ maxLength }).`,
      { file: needs.file, maxLength: needs.maxLength },
    );
  }
  return {
    encode(text) {
      const parts = needs.words === true ? wordsIn(text) : [typeof text === "string" ? text : text.join(" ")];
      const pieces = parts.map((part) => known(tokenizer.encode(part, { add_special_tokens: false }).ids));
      const all = pieces.flat();
      const first = needs.truncationSide === "right" ? 0 : Math.max(0, all.length - room);
      const left = all.slice(first, first + room);
      return {
        ids: [...frame.before, ...left, ...frame.after],
        whole: all.length + frame.before.length + frame.after.length,
        starts: needs.words === true ? startsOf(pieces, first, left.length, frame.before.length) : [],
      };
    },
    show: (ids) => ids.map((id) => tokenizer.id_to_token(id) ?? "?"),
  };
}

/** The words of a text, or those of a list as they are. */
export function wordsIn(text: string | readonly string[]): readonly string[] {
  return typeof text === "string" ? text.split(/\s+/).filter((word) => word !== "") : text;
}

/** @param first of all pieces that is left @param shift what stands before it */
function startsOf(pieces: readonly (readonly number[])[], first: number, left: number, shift: number): number[] {
  let next = -first;
  return pieces.map(({ length }) => {
    const start = next;
    next += length;
    return next <= 0 || length === 0 || start >= left ? -1 : Math.max(0, start) + shift;
  });
}

/**
 * A tokenizer of words that stand alone: each is cut as it is within a text, where a space stands before it, as
 * `add_prefix_space` of Hugging Face's transformers has it for tokenizers of bytes.
 */
function forWords(document: object): object {
  const spaced = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(spaced);
    if (typeof part !== "object" || part === null) return part;
    const own = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, spaced(value)]));
    return own.type === "ByteLevel" ? { ...own, add_prefix_space: true } : own;
  };
  return { ...document, pre_tokenizer: "pre_tokenizer" in document ? spaced(document.pre_tokenizer) : null };
}

function build(document: object, file: string, projectDir: string | null): PackageTokenizer {
  const { Tokenizer } = loadTokenizersPackage(projectDir);
  try {
    // what Python's tokenizers do is in the file alone; other files only change what is decoded
    return new Tokenizer(document, {});
  } catch (error) {
    throw new ConfigError(
      `The tokenizer ${file} cannot be used: ${lineOf(error).replace(/[. ]+$/, "")}. Install the newest package, npm install @huggingface/tokenizers@latest, or save the tokenizer again with a newer release of Python's tokenizers.`,
      { file, reason: lineOf(error) },
      { cause: error },
    );
  }
}

/** What stands before and after a text. */
interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const PROBE = "a";

/** @throws ConfigError where a text is not framed by the same tokens whatever it is, or of several types */
function frameOf(tokenizer: PackageTokenizer, file: string): Frame {
  const { ids: around } = tokenizer.encode("", { add_special_tokens: true });
  const { ids: whole, token_type_ids: types = [] } = tokenizer.encode(PROBE, {
    add_special_tokens: true,
    return_token_type_ids: true,
  });
  const bare = tokenizer.encode(PROBE, { add_special_tokens: false }).ids;
  for (let place = 0; place + bare.length <= whole.length; place++) {
    const [before, after] = [whole.slice(0, place), whole.slice(place + bare.length)];
    const isFrame = [...before, ...after].join() === around.join();
    if (!isFrame || whole.slice(place, place + bare.length).join() !== bare.join()) continue;
    if (new Set(types).size > 1) break;
    return { before: known(before), after: known(after) };
  }
  throw new ConfigError(
    `The tokenizer ${file} puts special tokens into a text in a way that is not known here. Give tokenizer({ specialTokens: false }) if its model does without.`,
    { file },
  );
}

/** A piece that is unknown, where nothing stands for those, is left out. */
function known(ids: readonly (number | undefined)[]): number[] {
  return ids.filter((id) => id !== undefined);
}
