/** @file Texts of a column → the tokens that they are made of. */
import type { ColumnFacts } from "./cells.js";

/** How a text becomes tokens, and the tokens that come often enough. */
export interface Vocabulary {
  /** The most frequent first. */
  readonly tokens: readonly string[];
  readonly split: "whitespace" | "characters";
  readonly maxLength: number;
  /** Share of the tokens in the table that the vocabulary lacks. */
  readonly unknownShare: number;
}

/** What stands for tokens that are not in it. */
export const UNKNOWN = "<unk>";
const MOST_TOKENS = 10_000;
/** Tokens that one sequence keeps at most. */
const LONGEST = 512;

/** Tokens that come twice or more, at most ten thousand; all of them where they are few. */
export function vocabularyOf({ cells, isList }: ColumnFacts): Vocabulary {
  const split = isList || cells.some((cell) => /\S\s+\S/.test(cell)) ? "whitespace" : "characters";
  const counts = new Map<string, number>();
  const lengths: number[] = [];
  for (const cell of cells) {
    if (cell === "") continue;
    const tokens = tokensOf(cell, isList, split);
    lengths.push(tokens.length);
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  const sorted = [...counts].filter(([token]) => isLine(token)).sort(([, a], [, b]) => b - a);
  const frequent = sorted.filter(([, count]) => count > 1);
  const kept = (sorted.length <= 200 || frequent.length === 0 ? sorted : frequent).slice(0, MOST_TOKENS);
  const sum = (entries: Iterable<readonly [string, number]>) => [...entries].reduce((all, [, count]) => all + count, 0);
  const total = sum(counts);
  return {
    tokens: kept.map(([token]) => token),
    split,
    maxLength: lengthFor(lengths),
    unknownShare: total === 0 ? 0 : 1 - sum(kept) / total,
  };
}

function tokensOf(cell: string, isList: boolean, split: Vocabulary["split"]): string[] {
  if (isList) return listOf(cell);
  return split === "characters" ? [...cell] : cell.split(/\s+/);
}

function listOf(cell: string): string[] {
  const parsed: unknown = JSON.parse(cell);
  return Array.isArray(parsed) ? parsed.map(String) : [];
}

/** Whether a line of a file can hold it. */
const isLine = (token: string): boolean => token !== "" && !/[\r\n\uFEFF]/.test(token);

/** The longest sequence, or one that 99 of 100 do not exceed where that is too long; a multiple of 8. */
function lengthFor(lengths: readonly number[]): number {
  const sorted = [...lengths].sort((a, b) => a - b);
  const longest = sorted.at(-1) ?? 1;
  const needed = longest <= LONGEST ? longest : Math.min(LONGEST, sorted[Math.floor(0.99 * sorted.length)] ?? 1);
  return Math.max(8, Math.ceil(needed / 8) * 8);
}
