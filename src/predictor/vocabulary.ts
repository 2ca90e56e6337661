/** @file Text and lists → tokens, and tokens → ids. */

/** The id of a token; undefined where the vocabulary lacks it. A token in another Unicode form is the same token. */
export type TokenIds = (token: string) => number | undefined;

/** Of each vocabulary once: rows are read one by one. */
const known = new WeakMap<readonly string[], TokenIds>();

export function idsOf(vocabulary: readonly string[]): TokenIds {
  const ids = known.get(vocabulary) ?? placesOf(vocabulary);
  known.set(vocabulary, ids);
  return ids;
}

function placesOf(vocabulary: readonly string[]): TokenIds {
  const exact = new Map(vocabulary.map((token, i) => [token, i + 1]));
  const composed = new Map(vocabulary.map((token, i) => [token.normalize("NFC"), i + 1]));
  return (token) => exact.get(token) ?? composed.get(token.normalize("NFC"));
}

/** How text becomes tokens. */
interface Splitting {
  readonly split: "whitespace" | "characters";
}

/** Tokens of a text or a list; null where the cell is no sequence. */
export function tokensIn(cell: unknown, { split }: Splitting): readonly string[] | null {
  if (cell === null || cell === undefined) return [];
  if (Array.isArray(cell)) {
    return cell.every((item) => typeof item === "string" || typeof item === "number") ? cell.map(String) : null;
  }
  if (typeof cell === "number") return [...tokensOfText(String(cell), split)];
  return typeof cell === "string" ? tokensOfText(cell, split) : null;
}

function tokensOfText(text: string, split: Splitting["split"]): readonly string[] {
  switch (split) {
    case "whitespace":
      return text.split(/\s+/).filter((token) => token !== "");
    case "characters":
      // by code point, so that no character falls apart
      return [...text];
    default:
      return split satisfies never;
  }
}
