/** @file Texts of a column → the tokens that they are made of. */
import { at } from "../arrays.js";
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
export function vocabularyOf({ texts, counts: uses, filled, isList }: ColumnFacts): Vocabulary {
  const split = isList || texts.some((text) => /\S\s+\S/.test(text)) ? "whitespace" : "characters";
  const counts = new Map<string, number>();
  const lengths: Length[] = [];
  texts.forEach((text, place) => {
    const tokens = tokensOf(text, isList, split);
    const rows = at(uses, place);
    lengths.push({ tokens: tokens.length, rows });
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + rows);
  });
  const sorted = [...counts].filter(([token]) => isLine(token)).sort(([, a], [, b]) => b - a);
  const frequent = sorted.filter(([, count]) => count > 1);
  const kept = (sorted.length <= 200 || frequent.length === 0 ? sorted : frequent).slice(0, MOST_TOKENS);
  const sum = (entries: Iterable<readonly [string, number]>) => [...entries].reduce((all, [, count]) => all + count, 0);
  const total = sum(counts);
  return {
    tokens: kept.map(([token]) => token),
    split,
    maxLength: lengthFor(lengths, filled),
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

/** So many rows have a sequence of so many tokens. */
interface Length {
  readonly tokens: number;
  readonly rows: number;
}

/** The longest sequence, or one that 99 of 100 do not exceed where that is too long; a multiple of 8. */
function lengthFor(lengths: readonly Length[], rows: number): number {
  const sorted = [...lengths].sort((a, b) => a.tokens - b.tokens);
  const longest = sorted.at(-1)?.tokens ?? 1;
  const needed = longest <= LONGEST ? longest : Math.min(LONGEST, lengthAt(sorted, Math.floor(0.99 * rows)));
  return Math.max(8, Math.ceil(needed / 8) * 8);
}

/** Tokens of the sequence that stands at this place, where the shorter ones come first. */
function lengthAt(sorted: readonly Length[], place: number): number {
  let before = 0;
  for (const { tokens, rows } of sorted) {
    before += rows;
    if (before > place) return tokens;
  }
  return 1;
}
