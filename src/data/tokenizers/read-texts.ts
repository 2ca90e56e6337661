/** @file Raw texts of a column → sequences of a tokenizer's ids. */
import { at } from "../../arrays.js";
import { DataError } from "../../errors.js";
import { yieldTo } from "../../platform/yield-to.js";
import { isMissing } from "../../tasks/behaviour.js";
import type { TokenSource, TokensInputSpec } from "../dataset.js";
import { type BadCell, badCellsError, cellsOf, type JoinedTables, rowIn } from "../tables/tables.js";
import type { ReadyInput } from "../inputs/vectors.js";
import { tokenSource } from "../inputs/token-source.js";
import { openInputTokenizer, type TokenizerPlaces } from "./stored-tokenizer.js";

/** Texts that are cut before signals have their turn: some 20 ms. */
const TEXTS_AT_A_TIME = 128;

/**
 * @param spec complete
 * @throws ConfigError, StoreError where the tokenizer cannot be had; DataError if a cell is no text, or is missing where
 * the spec says that none may be; InterruptedError if the signal fires
 */
export async function readTexts(
  name: string,
  spec: TokensInputSpec & Required<Pick<TokensInputSpec, "tokenizer">>,
  joined: JoinedTables,
  { signal, ...places }: TokenizerPlaces & { readonly signal?: AbortSignal | undefined },
): Promise<ReadyInput> {
  const texts = textsIn(name, spec, joined);
  const shown = (row: number): string => inWords(at(texts, row));
  const tokenizer = openInputTokenizer(name, spec, places);
  const encoded: Int32Array[] = [];
  let [cut, longest] = [0, 0];
  for (const [row, text] of texts.entries()) {
    if (row % TEXTS_AT_A_TIME === 0) await yieldTo(signal);
    const { ids, whole } = tokenizer.encode(text);
    assertKnown(name, spec.tokenizer, ids);
    // 0 is padding
    encoded.push(Int32Array.from(ids, (id) => id + 1));
    if (whole > spec.maxLength) cut += 1;
    longest = Math.max(longest, whole);
  }
  const warnings = cut === 0 ? [] : [cutOff(name, spec, { cut, rows: texts.length, longest })];
  return {
    warnings,
    source: (kept): TokenSource => {
      const sequence = (row: number): Int32Array => at(encoded, at(kept, row));
      return {
        ...tokenSource(spec, encoded, kept),
        texts: {
          whole: (row) => shown(at(kept, row)),
          tokens: (row) => tokenizer.show(Array.from(sequence(row), (id) => id - 1)),
        },
      };
    },
  };
}

/**
 * Where the labels of the words of each row lie.
 * @param spec complete, of a tokenizer that reads words
 * @throws as readTexts
 */
export async function wordPlaces(
  name: string,
  spec: TokensInputSpec & Required<Pick<TokensInputSpec, "tokenizer">>,
  joined: JoinedTables,
  { signal, ...places }: TokenizerPlaces & { readonly signal?: AbortSignal | undefined },
): Promise<readonly WordPlaces[]> {
  const tokenizer = openInputTokenizer(name, spec, places);
  const found: WordPlaces[] = [];
  for (const [row, text] of textsIn(name, spec, joined).entries()) {
    if (row % TEXTS_AT_A_TIME === 0) await yieldTo(signal);
    const { ids, starts } = tokenizer.encode(text);
    found.push({ tokens: ids.length, starts: Int32Array.from(starts) });
  }
  return found;
}

/** The words of a row among the tokens that they are cut into. */
export interface WordPlaces {
  readonly tokens: number;
  /** The first token of each word; −1: it is cut off. */
  readonly starts: Int32Array;
}

function inWords(text: string | readonly string[]): string {
  return typeof text === "string" ? text : text.join(" ");
}

function textsIn(name: string, spec: TokensInputSpec, joined: JoinedTables): (string | readonly string[])[] {
  const bad: BadCell[] = [];
  const texts = cellsOf(joined, spec.column, `the input "${name}"`).map((cell, row) => {
    const reason = reasonAgainst(cell, spec);
    if (reason !== null) {
      bad.push({ ...rowIn(joined, row), column: spec.column, cell, reason, reader: { kind: "input", name } });
    }
    if (cell === null || cell === undefined) return "";
    return Array.isArray(cell) ? cell.map(String) : String(cell);
  });
  if (bad.length > 0) throw badCellsError(joined, bad, "text");
  return texts;
}

function reasonAgainst(cell: unknown, { missing, tokenizer }: TokensInputSpec): string | null {
  if (missing === "error" && isMissing(cell)) return 'is missing; fill it, or give the input missing: "empty"';
  if (Array.isArray(cell)) return listReason(cell, tokenizer?.words === true);
  const isText = cell === null || cell === undefined || ["string", "number", "bigint", "boolean"].includes(typeof cell);
  return isText ? null : "is no text; write one, or read lists of tokens with tokens({ … })";
}

function listReason(cell: readonly unknown[], isOfWords: boolean): string | null {
  if (!isOfWords) return "is a list; give the input words: true where each is a word, or write one text";
  return cell.every((word) => typeof word === "string" || typeof word === "number")
    ? null
    : "is a list of more than words; write texts alone";
}

/** @throws DataError for ids beyond those that the file counts, which embeddings have no place for */
function assertKnown(name: string, { file, ids: count }: { file: string; ids: number }, ids: readonly number[]): void {
  const beyond = ids.find((id) => id >= count);
  if (beyond === undefined) return;
  throw new DataError(
    `The tokenizer ${file} of the input "${name}" gives the id ${beyond}, but has ${count} tokens: its file is not sound. Save it again.`,
    { input: name, file, id: beyond },
  );
}

function cutOff(
  name: string,
  { maxLength, tokenizer }: TokensInputSpec,
  { cut, rows, longest }: { readonly cut: number; readonly rows: number; readonly longest: number },
): string {
  const end = tokenizer?.truncationSide === "left" ? "beginning" : "end";
  const are = cut === 1 ? "is" : "are";
  return `input "${name}": ${cut} of ${rows} texts ${are} longer than ${maxLength} tokens, the longest ${longest}, and ${are} cut off at the ${end} (maxLength)`;
}
