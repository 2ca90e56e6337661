/** @file Columns of many rows in typed blocks: cell for cell what DuckDB's own values say. */
import type { DuckDBValue } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { at } from "../../../src/arrays.js";
import { type Cells, JoinedCells, PackedCells } from "../../../src/data/tables/cells.js";
import { columnBuilder } from "../../../src/data/tables/column-builder.js";
import { withDuckDB } from "../../../src/data/tables/duckdb.js";
import { SharedTexts } from "../../../src/data/tables/shared-texts.js";
import { tableDigest } from "../../../src/data/tables/table.js";

const SIZE = 1000;
const plain = (value: DuckDBValue): unknown =>
  typeof value === "bigint" ? Number(value) : typeof value === "object" && value !== null ? String(value) : value;

/** Both readings of a query of one column: in blocks, and value by value. */
async function read(expression: string): Promise<{ readonly cells: Cells; readonly values: unknown[] }> {
  return withDuckDB(async (connection) => {
    const result = await connection.stream(`SELECT ${expression} AS x FROM range(5500) AS rows(i) ORDER BY i`);
    const builder = columnBuilder(result.columnType(0), new SharedTexts(), plain, SIZE);
    const values: unknown[] = [];
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return { cells: builder.cells(), values };
      builder.append(chunk.getColumnVector(0));
      values.push(...chunk.getColumnValues(0).map(plain));
    }
  });
}

const COLUMNS: Readonly<Record<string, string>> = {
  "small integers, some missing": "CASE WHEN i % 7 = 0 THEN NULL ELSE (i % 2)::INTEGER END",
  "integers that grow": "(i * i * 37 - 100)::INTEGER",
  "large integers": "i * 1000000007",
  "unsigned integers": "(i % 256)::UTINYINT",
  "single precision": "(i / 7)::FLOAT",
  "double precision": "i / 7",
  "numbers that are none": "CASE WHEN i % 3 = 0 THEN 'nan' WHEN i % 3 = 1 THEN '-inf' ELSE '-0' END::DOUBLE",
  truths: "CASE WHEN i % 5 = 0 THEN NULL ELSE i % 2 = 0 END",
  "few texts": "CASE WHEN i % 5 = 0 THEN NULL WHEN i % 5 = 1 THEN '' ELSE 'it is ' || (i % 4) END",
  "many texts": "CASE WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN '' ELSE 'é' || i END",
  "many long texts": "repeat('äöü€😀', (i % 6)::INTEGER) || i",
  "texts that become many": "CASE WHEN i < 2000 THEN 'a' ELSE 'b' || i END",
  decimals: "(i / 8)::DECIMAL(10, 3)",
  dates: "DATE '2020-01-01' + i::INTEGER",
  "only missing": "NULL::VARCHAR",
};

it.each(Object.entries(COLUMNS))("of %s", async (_, expression) => {
  const { cells, values } = await read(expression);
  expect(cells).toBeInstanceOf(PackedCells);
  expect(cells.length).toBe(values.length);
  expect([...cells]).toEqual(values);
  expect(Array.from(values, (_, row) => cells.at(row))).toEqual(values);
  expect(cells.map((cell) => cell)).toEqual(values);
  const table = { rows: values.length, file: "t", baseDir: "/", firstLine: null };
  const [packed, whole] = [cells, values].map((own) => tableDigest({ ...table, columns: new Map([["x", own]]) }));
  expect(packed).toBe(whole);
});

it("of several tables are numbered through", async () => {
  const [first, second] = [await read("i"), await read("'b' || i")];
  const joined = new JoinedCells([first.cells, ["between"], second.cells]);
  const values = [...first.values, "between", ...second.values];
  expect([...joined]).toEqual(values);
  expect(joined.map((cell) => cell)).toEqual(values);
  for (const row of [0, 5499, 5500, 5501, 11000]) expect(joined.at(row)).toBe(at(values, row));
});
