/** @file Texts of a file's rows, handed over as numbers where they are few, or are numbers. */
import { quoted } from "../../data/tables/sql.js";
import type { StreamedBlock, StreamedPart } from "../../data/tables/table-streams.js";

/** A text for each entry. */
export interface TextColumn {
  readonly columns: StreamedPart["columns"];
  /** SQL for the text. */
  readonly expression: string;
  /** @param placeOf entry of each row of the block */
  fill(block: StreamedBlock, placeOf: (i: number) => number): void;
}

/** More than these are handed over one by one. */
const MOST_WORDS = 1000;

/**
 * @param textOf each of `count` entries
 * @param numberOf what each text spells, where all are whole numbers
 * @param sameBy what makes texts the same; null where nothing does
 */
export function textColumn(
  name: string,
  count: number,
  textOf: (entry: number) => string | null,
  numberOf: ((entry: number) => number) | null,
  sameBy: ((entry: number) => number) | null = null,
): TextColumn {
  if (numberOf !== null) return integerColumn(name, `${name}::VARCHAR`, numberOf);
  const words = sameBy === null ? null : wordsOf(count, textOf, sameBy);
  if (words === null || sameBy === null) return ownTexts(name, textOf);
  const texts = words.texts.map((text) => (text === null ? "NULL" : quoted(text)));
  return integerColumn(
    name,
    `([${texts.join(", ")}]::VARCHAR[])[${name} + 1]`,
    (entry) => words.places.get(sameBy(entry)) ?? -1,
  );
}

function integerColumn(name: string, expression: string, numberOf: (entry: number) => number): TextColumn {
  return {
    columns: [{ name, type: "INTEGER" }],
    expression,
    fill(block, placeOf) {
      const integers = block.integers(name);
      for (let i = 0; i < integers.length; i++) integers[i] = numberOf(placeOf(i));
    },
  };
}

function ownTexts(name: string, textOf: (entry: number) => string | null): TextColumn {
  return {
    columns: [{ name, type: "VARCHAR" }],
    expression: name,
    fill(block, placeOf) {
      for (let i = 0; i < block.rows; i++) block.put(name, i, textOf(placeOf(i)));
    },
  };
}

interface Words {
  readonly texts: readonly (string | null)[];
  /** Of each key, the place of its text. */
  readonly places: ReadonlyMap<number, number>;
}

/** null where there are too many. */
function wordsOf(
  count: number,
  textOf: (entry: number) => string | null,
  sameBy: (entry: number) => number,
): Words | null {
  const places = new Map<number, number>();
  const texts: (string | null)[] = [];
  for (let entry = 0; entry < count; entry++) {
    const key = sameBy(entry);
    if (places.has(key)) continue;
    if (texts.length === MOST_WORDS) return null;
    places.set(key, texts.length);
    texts.push(textOf(entry));
  }
  return { texts, places };
}
