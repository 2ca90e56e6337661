/** @file Text and lists of tokens → sequences of ids, padded per batch. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { DataError } from "../../errors.js";
import { idsOf, type TokenIds, tokensIn } from "../../predictor/vocabulary.js";
import { isMissing } from "../../tasks/behaviour.js";
import type { TokensInputSpec } from "../dataset.js";
import { quoteCell } from "../tables/table.js";
import { type BadCell, badCellsError, cellsOf, type JoinedTables, placeIn, rowIn } from "../tables/tables.js";
import { assertNames, completeVocabulary } from "./inputs.js";
import { readTexts } from "../tokenizers/read-texts.js";
import type { TokenizerPlaces } from "../tokenizers/stored-tokenizer.js";
import { tokenSource } from "./token-source.js";
import type { ReadyInput } from "./vectors.js";

/**
 * Reads one sequence per row.
 * @param places the folder that a vocabulary file is relative to, and where tokenizers lie
 * @throws DataError if a cell is neither text nor a list, or holds tokens that the vocabulary lacks; see readTexts
 */
export async function readTokens(
  name: string,
  spec: TokensInputSpec,
  joined: JoinedTables,
  places: TokenizerPlaces & { readonly signal?: AbortSignal | undefined },
): Promise<ReadyInput> {
  const { tokenizer } = spec;
  if (tokenizer !== undefined) return readTexts(name, { ...spec, tokenizer }, joined, places);
  const { projectDir } = places;
  const vocabulary = await vocabularyOf(name, spec, projectDir);
  const complete = { ...spec, vocabulary };
  const idOf = idsOf(vocabulary);
  const sequences = splitCells(name, spec, joined).map((tokens) => tokens.slice(0, spec.maxLength));
  assertKnown(name, complete, joined, sequences, idOf);
  const unknownId = idOf(spec.unknown) ?? 0;
  const encoded = sequences.map((tokens) => Int32Array.from(tokens, (token) => idOf(token) ?? unknownId));
  return { source: (kept) => tokenSource(complete, encoded, kept) };
}

async function vocabularyOf(name: string, spec: TokensInputSpec, projectDir: string): Promise<readonly string[]> {
  const { vocabulary, unknown } = spec;
  if (typeof vocabulary !== "string") return vocabulary;
  const text = await readFile(resolve(projectDir, vocabulary), "utf8").catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "ENOENT" ? "is not there" : `cannot be read: ${cause.message}`;
    throw new DataError(
      `The vocabulary ${vocabulary} of the input "${name}" ${why}. Write a text file of one token per line, relative to the project, or list the tokens.`,
      { input: name, file: vocabulary },
      { cause },
    );
  });
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  assertNames(lines, `The vocabulary ${vocabulary} of the input "${name}"`, "tokens", { file: vocabulary });
  return completeVocabulary(lines, unknown);
}

/**
 * Tokens in each row as it is written, before longer ones are cut off.
 * @throws DataError as readTokens does where a cell is no sequence
 */
export function countTokens(name: string, spec: TokensInputSpec, joined: JoinedTables): Int32Array {
  return Int32Array.from(splitCells(name, spec, joined), (tokens) => tokens.length);
}

/** Tokens of every row. */
function splitCells(name: string, spec: TokensInputSpec, joined: JoinedTables): (readonly string[])[] {
  const bad: BadCell[] = [];
  const sequences = cellsOf(joined, spec.column, `the input "${name}"`).map((cell, row) => {
    const tokens = tokensIn(cell, spec);
    if (tokens !== null && !(spec.missing === "error" && isMissing(cell))) return tokens;
    const reason =
      tokens === null
        ? "is neither text nor a list of texts; write one of them"
        : 'is missing; fill it, or give the input missing: "empty"';
    bad.push({ ...rowIn(joined, row), column: spec.column, cell, reason, reader: { kind: "input", name } });
    return [];
  });
  if (bad.length > 0) throw badCellsError(joined, bad, "sequence");
  return sequences;
}

const SHOWN = 10;

/** @throws DataError naming the tokens that the vocabulary lacks, the most frequent first, and how many rows have them */
function assertKnown(
  name: string,
  { unknown, column, vocabulary }: TokensInputSpec,
  joined: JoinedTables,
  sequences: readonly (readonly string[])[],
  idOf: TokenIds,
): void {
  if (unknown !== "error") return;
  const rowsOf = new Map<string, number>();
  const rows = sequences.flatMap((tokens, row) => {
    const missing = new Set(tokens.filter((token) => idOf(token) === undefined));
    for (const token of missing) rowsOf.set(token, (rowsOf.get(token) ?? 0) + 1);
    return missing.size > 0 ? [row] : [];
  });
  const [first] = rows;
  if (first === undefined) return;
  const byRows = [...rowsOf].sort(([, a], [, b]) => b - a);
  const shown = byRows.slice(0, SHOWN).map(([token, count]) => `${quoteCell(token)} (${countOf(count, "row")})`);
  const rest = byRows.length > SHOWN ? `, and ${byRows.length - SHOWN} more` : "";
  const { table, row } = rowIn(joined, first);
  throw new DataError(
    `${countOf(rows.length, "row")} of ${joined.file} ${rows.length === 1 ? "has" : "have"} tokens in the column "${column}" that the vocabulary of the input "${name}" (${vocabulary.length} tokens) lacks: ${shown.join(", ")}${rest}; the first is ${placeIn(joined, table, row)}. Add them to the vocabulary, or give the input unknown: "<unk>".`,
    {
      file: joined.file,
      input: name,
      column,
      rows: rows.length,
      tokens: byRows.slice(0, SHOWN).map(([token]) => token),
      missing: byRows.length,
    },
  );
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
