/** @file Numbers of each entry of a task, as columns of blocks and as a list of the file. */
import { f32At } from "../../arrays.js";
import type { StreamedBlock, StreamedPart } from "../../data/tables/table-streams.js";

/** An array [entries, width] as columns of a block. */
export interface NumberColumns {
  readonly columns: StreamedPart["columns"];
  /** Of the columns, one for each number; none where all stand in one column of lists. */
  readonly names: readonly string[];
  /** SQL for the list of an entry's numbers, NULL for one that is missing. */
  readonly list: string;
  /** SQL for the first of them. */
  readonly first: string;
  /** @param placeOf entry of each row of the block */
  fill(block: StreamedBlock, placeOf: (i: number) => number): void;
}

/** Lists of more numbers are put together here, as a column for each costs more than that. */
const MOST_COLUMNS = 64;

/** @param values [entries, width] */
export function numberColumns(name: string, values: Float32Array, width: number): NumberColumns {
  if (width > MOST_COLUMNS) return listColumn(name, values, width);
  const names = Array.from({ length: width }, (_, k) => `${name}_${k}`);
  const known = names.map((one) => `nullif(${one}, 'nan'::FLOAT)`);
  return {
    columns: names.map((one) => ({ name: one, type: "FLOAT" })),
    names,
    list: `[${known.join(", ")}]::FLOAT[]`,
    first: known[0] ?? "NULL",
    fill(block, placeOf) {
      names.forEach((one, k) => {
        const floats = block.floats(one);
        for (let i = 0; i < floats.length; i++) floats[i] = f32At(values, placeOf(i) * width + k);
      });
    },
  };
}

function listColumn(name: string, values: Float32Array, width: number): NumberColumns {
  return {
    columns: [{ name, type: "FLOAT[]" }],
    names: [],
    list: name,
    first: `${name}[1]`,
    fill(block, placeOf) {
      for (let i = 0; i < block.rows; i++) {
        const place = placeOf(i);
        const own = Array.from(values.subarray(place * width, (place + 1) * width), nullIfNaN);
        block.put(name, i, own);
      }
    },
  };
}

function nullIfNaN(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
