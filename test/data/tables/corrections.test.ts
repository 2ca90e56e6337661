/** @file Corrected copies of tables: everything else stays as it is, byte by byte or type by type. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { correctedName, writeCorrected } from "../../../src/data/tables/corrections.js";
import { withDuckDB } from "../../../src/data/tables/duckdb.js";
import { readTable } from "../../../src/data/tables/table.js";
import { UsageError } from "../../../src/errors.js";

const dir = mkdtempSync(join(tmpdir(), "cool-corrections-"));
afterAll(() => rmSync(dir, { recursive: true }));

async function corrected(name: string, text: string | Buffer, ...cells: readonly [number, string, string][]) {
  const file = join(dir, name);
  writeFileSync(file, text);
  const out = correctedName(file);
  const refused = await writeCorrected(
    file,
    out,
    cells.map(([row, column, to]) => ({ row, column, text: to })),
  );
  return { file, out, refused, bytes: readFileSync(out) };
}

describe("corrected CSV files", () => {
  it("only the corrected cells differ", async () => {
    const text = '\uFEFFimg; a ;"b;c"\r\n1.png;"x ""y""";0\r\n\r\n2.png;;"1"\r\n';
    const { bytes, refused } = await corrected("a.csv", text, [0, "a", "p;q"], [1, "b;c", ""], [1, "a", 'say "no"']);
    expect(refused).toEqual([]);
    expect(bytes.toString()).toBe('\uFEFFimg; a ;"b;c"\r\n1.png;"p;q";0\r\n\r\n2.png;"say ""no""";\r\n');
  });

  it("rows are those that a table is read as, with line breaks in cells", async () => {
    const { out } = await corrected("b.csv", 'a,b\n"one\ntwo",1\nthree,2', [1, "b", "3"]);
    const table = await readTable(out, { projectDir: dir });
    expect([...table.columns.values()]).toEqual([
      ["one\ntwo", "three"],
      ["1", "3"],
    ]);
  });

  it("packed files stay packed", async () => {
    const { out, bytes } = await corrected("c.tsv.gz", gzipSync("a\tb\n1\t2\n"), [0, "b", "x"]);
    expect(out).toMatch(/c\.corrected\.tsv\.gz$/);
    expect(gunzipSync(bytes).toString()).toBe("a\tb\n1\tx\n");
  });

  it("names what cannot be corrected, and corrects the rest", async () => {
    const { bytes, refused } = await corrected("d.csv", "a,b\n1,2\n", [5, "a", "x"], [0, "c", "x"], [0, "b", "3"]);
    expect(refused).toEqual([
      { row: 5, column: "a", text: "x", reason: "the table has 1 rows" },
      { row: 0, column: "c", text: "x", reason: "there is no such column" },
    ]);
    expect(bytes.toString()).toBe("a,b\n1,3\n");
  });

  it("never writes over a file", async () => {
    const { file, out } = await corrected("e.csv", "a\n1\n", [0, "a", "2"]);
    expect(readFileSync(file, "utf8")).toBe("a\n1\n");
    expect(out).toMatch(/e\.corrected\.csv$/);
    expect(correctedName(file)).toMatch(/e\.corrected-2\.csv$/);
  });

  it("refuses other kinds of files", async () => {
    await expect(writeCorrected("labels.json", "out.json", [])).rejects.toThrow(UsageError);
  });
});

describe("corrected Parquet files", () => {
  it("types and the order of rows stay", async () => {
    const file = join(dir, "labels.parquet");
    await withDuckDB(async (connection) => {
      await connection.run(
        `COPY (SELECT 'r' || i AS name, i::SMALLINT AS n, i % 2 = 0 AS yes, ['a', 'b'] AS tags FROM range(5000) t(i))
         TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 1000)`,
      );
    });
    const out = correctedName(file);
    const refused = await writeCorrected(file, out, [
      { row: 4321, column: "n", text: "7" },
      { row: 0, column: "yes", text: "false" },
      { row: 1, column: "yes", text: "" },
      { row: 2, column: "tags", text: '["c"]' },
      { row: 3, column: "n", text: "seven" },
    ]);
    expect(refused).toEqual([{ row: 3, column: "n", text: "seven", reason: '"seven" is no SMALLINT' }]);
    const [before, after] = [await readTable(file, { projectDir: dir }), await readTable(out, { projectDir: dir })];
    const expected = new Map([...before.columns].map(([name, cells]) => [name, [...cells]]));
    (expected.get("n") ?? [])[4321] = 7;
    (expected.get("yes") ?? [])[0] = false;
    (expected.get("yes") ?? [])[1] = null;
    (expected.get("tags") ?? [])[2] = ["c"];
    expect(after.columns).toEqual(expected);
    const types = await withDuckDB(async (connection) =>
      (await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${out}'`)).getRows().map(([, type]) => type),
    );
    expect(types).toEqual(["VARCHAR", "SMALLINT", "BOOLEAN", "VARCHAR[]"]);
  });
});
