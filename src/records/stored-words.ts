/** @file The words of a run's samples, kept with its predictions, so that they can be shown without the table. */
import { existsSync } from "node:fs";
import { type TokenSource, type TokensInputSpec, wordsOf } from "../data/dataset.js";
import { readParquet, writeTable } from "../data/tables/table-writer.js";

/** What stands between words as they are shown. */
export function glueOf({ split }: TokensInputSpec): string {
  return split === "characters" ? "" : " ";
}

/** @param rows of the dataset, in the order of the split */
export async function writeWords(file: string, source: TokenSource, rows: Int32Array): Promise<void> {
  const columns = [
    { name: "row", type: "INTEGER" },
    // JSON: a list of texts
    { name: "tokens", type: "VARCHAR" },
  ] as const;
  await writeTable(
    file,
    columns,
    Array.from(rows, (row, i) => [i, JSON.stringify(wordsOf(source, row))]),
  );
}

/** @returns words of each row of the split, in its order; null where none were kept */
export async function readWords(file: string): Promise<readonly (readonly string[])[] | null> {
  if (!existsSync(file)) return null;
  const [tokens = []] = await readParquet(file, ["tokens"], '"row"');
  return tokens.map((cell) => JSON.parse(cell as string) as string[]);
}

// a tile of a contact sheet has room for about 45 letters
const LETTERS_BEFORE = 24;
const WORDS_AFTER = 8;

/** @param position word that is meant: it is marked, and only what is around it is shown */
export function textOf(words: readonly string[], glue: string, position?: number): string {
  if (position === undefined) return words.join(glue);
  let from = position;
  while (from > 0 && words.slice(from - 1, position).join(glue).length <= LETTERS_BEFORE) from--;
  const to = position + WORDS_AFTER + 1;
  const shown = words.with(position, `«${words[position]}»`).slice(from, to);
  return [...(from > 0 ? ["…"] : []), ...shown, ...(to < words.length ? ["…"] : [])].join(glue);
}
