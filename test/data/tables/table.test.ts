/** @file Tables from files of every kind and from SQL; what is said of broken ones. */
import { readdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { placeOf, readTable, tableDigest } from "../../../src/data/tables/table.js";
import { readParquet, writeTable } from "../../../src/data/tables/table-writer.js";
import { readTables } from "../../../src/data/tables/tables.js";
import { DataError } from "../../../src/errors.js";
import { duckdb, newFolder, write } from "../files.js";

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => expect.fail("nothing was thrown"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe("a CSV file", () => {
  const read = (text: string | Uint8Array, name = "labels.csv") => {
    const projectDir = newFolder();
    write(projectDir, name, text);
    return readTable(name, { projectDir });
  };
  const cells = async (table: ReturnType<typeof read>) => Object.fromEntries((await table).columns);

  test("gives its cells as text and empty ones as null", async () => {
    const table = read('img,x,y\na.jpg,01,\n"b,c.jpg",NULL,"say ""hi"""\n');
    expect(await cells(table)).toEqual({ img: ["a.jpg", "b,c.jpg"], x: ["01", "NULL"], y: [null, 'say "hi"'] });
  });

  test("may have a byte order mark, CRLF, quoted names and be packed", async () => {
    const text = '\uFEFF"img","x ""y"""\r\na.jpg,1\r\n';
    expect(await cells(read(gzipSync(text), "labels.csv.gz"))).toEqual({ img: ["a.jpg"], 'x "y"': ["1"] });
  });

  test("may be separated by tabs or semicolons", async () => {
    expect(await cells(read("img\tx\na\t1,5\n", "labels.tsv"))).toEqual({ img: ["a"], x: ["1,5"] });
    expect(await cells(read("img;x\na;1,5\n"))).toEqual({ img: ["a"], x: ["1,5"] });
  });

  test("keeps columns apart whose names differ in case, and names a nameless one by its position", async () => {
    expect(await cells(read(",x,X\n0,1,2\n"))).toEqual({ column0: ["0"], x: ["1"], X: ["2"] });
  });

  test("tells the line of a row unless a cell or a blank line breaks the count", async () => {
    expect(placeOf(await read("x\n1\n2\n"), 1)).toBe("row 2 (line 3)");
    expect(placeOf(await read("x\n1\n2"), 1)).toBe("row 2 (line 3)");
    expect(placeOf(await read('x,y\n1,"a\nb"\n2,3\n'), 1)).toBe("row 2");
    expect(placeOf(await read("x,y\n1,2\n\n2,3\n"), 1)).toBe("row 2");
  });

  test("with a row of too few cells is refused with the line", async () => {
    const message = await messageOf(read("img,x\na.jpg,1\nb.jpg\nc.jpg,2,3\n"));
    expect(message).toBe(
      "labels.csv cannot be read: Invalid Input Error: CSV Error on Line: 3; Original Line: b.jpg; Expected Number of Columns: 2 Found: 1",
    );
  });

  test.each([
    ["two columns of one name", "img,x,x\na,1,2\n", 'labels.csv has two columns named "x"'],
    ["an open quote", 'img,x\na,"1\nb,2\n', "Value with unterminated quote found."],
    ["no rows", "img,x\n", "labels.csv has no rows"],
    ["no content", "", "labels.csv is empty"],
    ["UTF-16 text", Buffer.from("\uFEFFimg,x\na,1\n", "utf16le"), "labels.csv is UTF-16 text. Save it as UTF-8."],
    ["Latin-1 text", Buffer.from("img,x\na,\xe9\n", "latin1"), "not utf-8 encoded"],
  ])("with %s is refused", async (_, text, reason) => {
    const message = await messageOf(read(text));
    expect(message).toContain(reason);
    expect(message).not.toContain("\n");
  });

  test("that is no gzip file is refused", async () => {
    expect(await messageOf(read("img,x\n", "labels.csv.gz"))).toContain("labels.csv.gz cannot be unpacked");
  });
});

describe("a file that is not there", () => {
  test("is answered with the nearest name in its folder", async () => {
    const projectDir = newFolder();
    write(projectDir, "data/labels.csv", "x\n1\n");
    expect(await messageOf(readTable("data/lables.csv", { projectDir }))).toContain('Did you mean "data/labels.csv"?');
    expect(await messageOf(readTable("date/labels.csv", { projectDir }))).toContain("There is no folder");
    const folder = await messageOf(readTable("data", { projectDir }));
    expect(folder).toContain("is not a file");
    expect(folder).not.toContain("Did you mean");
  });

  test("or is of no known kind is refused", async () => {
    const projectDir = newFolder();
    write(projectDir, "labels.xlsx", "x");
    expect(await messageOf(readTable("labels.xlsx", { projectDir }))).toContain("is of no known kind");
  });
});

describe("typed tables", () => {
  test("JSON lines and Parquet give numbers, booleans, lists and nulls", async () => {
    const projectDir = newFolder();
    const path = write(
      projectDir,
      "labels.jsonl",
      '{"n": 1, "f": 1.5, "b": true, "l": ["x", "y"], "day": "2020-01-02"}\n{"n": 2, "l": []}\n',
    );
    await duckdb(`COPY (FROM read_json('${path}')) TO '${join(projectDir, "labels.parquet")}' (FORMAT parquet)`);
    const expected = {
      n: [1, 2],
      f: [1.5, null],
      b: [true, null],
      l: [["x", "y"], []],
      day: ["2020-01-02", null],
    };
    for (const name of ["labels.jsonl", "labels.parquet"]) {
      const table = await readTable(name, { projectDir });
      expect(Object.fromEntries(table.columns)).toEqual(expected);
      expect(table.baseDir).toBe(projectDir);
    }
  });

  test("a JSON column of several types keeps them", async () => {
    const projectDir = newFolder();
    write(projectDir, "labels.json", '[{"a": 1}, {"a": "one"}, {"a": ["x"]}]');
    expect((await readTable("labels.json", { projectDir })).columns.get("a")).toEqual([1, "one", ["x"]]);
  });

  test("wide integers and decimals become numbers", async () => {
    const table = await readTable("SELECT 7::HUGEINT AS h, 1.25::DECIMAL(8, 2) AS d, 9::UBIGINT AS u", {
      projectDir: newFolder(),
    });
    expect(Object.fromEntries(table.columns)).toEqual({ h: [7], d: [1.25], u: [9] });
  });

  test("broken JSON and Parquet are refused in one paragraph", async () => {
    const projectDir = newFolder();
    write(projectDir, "labels.jsonl", '{"a": 1\n');
    write(projectDir, "labels.parquet", "not parquet at all");
    for (const name of ["labels.jsonl", "labels.parquet"]) {
      const message = await messageOf(readTable(name, { projectDir }));
      expect(message).toContain(`${name} cannot be read: `);
      expect(message).not.toContain("\n");
    }
  });
});

describe("a SQL query", () => {
  test("reads files of the project's folder, not those of the same name in the working folder", async () => {
    const projectDir = newFolder();
    // package.json lies in the folder in which the tests run
    write(projectDir, "package.json", '[{"x": 1}]');
    write(projectDir, "parts/a.csv", "y\n1\n");
    write(projectDir, "parts/b.csv", "y\n2\n");
    const read = async (query: string) => Object.fromEntries((await readTable(query, { projectDir })).columns);
    expect(await read("FROM 'package.json'")).toEqual({ x: [1] });
    expect(await read("select é.x from \"package.json\" as é where 'package.json' = 'package.json'")).toEqual({
      x: [1],
    });
    expect(
      await read("WITH p AS (FROM read_csv(['parts/a.csv', 'parts/b.csv'], header = true)) SELECT sum(y) AS s FROM p"),
    ).toEqual({ s: [3] });
    expect(await read("SELECT count(*) AS n FROM read_csv('parts/*.csv')")).toEqual({ n: [2] });
    expect(await read(`SELECT y FROM '${join(projectDir, "parts/a.csv")}'`)).toEqual({ y: [1] });
  });

  test("is relative to the project's folder, as are its image paths", async () => {
    const projectDir = newFolder();
    const table = await readTable("SELECT 1 AS x", { projectDir });
    expect([table.file, table.baseDir, table.firstLine]).toEqual(["the SQL query", projectDir, null]);
  });

  test.each([
    ["does not parse", "SELECT FROM WHERE", "syntax error"],
    ["names a missing file", "FROM 'nix.parquet'", "nix.parquet"],
    ["gives two columns of one name", "SELECT 1 AS a, 2 AS a", 'two columns named "a"'],
    ["gives no rows", "SELECT 1 AS a WHERE false", "the SQL query has no rows"],
  ])("that %s is refused", async (_, query, reason) => {
    const message = await messageOf(readTable(query, { projectDir: newFolder() }));
    expect(message).toContain(reason);
    expect(message).not.toContain("\n");
  });
});

test("the digest follows the names and cells alone", async () => {
  const projectDir = newFolder();
  write(projectDir, "a.csv", "x,y\n1,2\n");
  write(projectDir, "b.csv", '"x","y"\n"1","2"\n');
  write(projectDir, "c.csv", "x,y\n1,3\n");
  const digest = async (name: string) => tableDigest(await readTable(name, { projectDir }));
  expect(await digest("a.csv")).toBe(await digest("b.csv"));
  expect(await digest("a.csv")).not.toBe(await digest("c.csv"));
});

test.each(["\n", "\r\n"])("a column whose name has a line break is read with all its rows (%j)", async (end) => {
  const folder = newFolder();
  write(folder, "a.csv", ['x,"two\nlines"', "1,2", '"3\n",4', "5,6", ""].join(end));
  const { columns, rows, firstLine } = await readTable("a.csv", { projectDir: folder });
  expect([...columns]).toEqual([
    ["x", ["1", "3\n", "5"]],
    ["two\nlines", ["2", "4", "6"]],
  ]);
  expect({ rows, firstLine }).toEqual({ rows: 3, firstLine: null });
});

describe("what a SQL query may do", () => {
  const outside = () => {
    const folder = newFolder();
    write(folder, "secret.csv", "y\n7\n");
    return folder;
  };

  test.each([
    ["copies", (dir: string) => `SELECT 1 AS x; COPY (SELECT 1) TO '${dir}/out.csv'`, "more than one statement"],
    ["attaches", (dir: string) => `SELECT 1 AS x; ATTACH '${dir}/out.db'`, "more than one statement"],
    ["installs", () => "SELECT 1 AS x; INSTALL httpfs", "more than one statement"],
    ["unlocks", () => "SELECT 1 AS x; SET enable_external_access = true", "more than one statement"],
    ["inserts", () => "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", "b does not exist"],
    ["explains", () => "WITH a AS (SELECT 1) DELETE FROM pg_type", "read"],
    ["fetches", () => "FROM 'https://example.org/a.parquet'", "may not read https://example.org/a.parquet"],
    ["fetches by name", () => "FROM read_csv('http://127.0.0.1:1/a.csv')", "nothing is fetched for a query"],
    ["fetches more", () => "FROM 'a/b.csv' UNION ALL FROM read_csv('http://127.0.0.1:1/a.csv')", "is fetched"],
    ["scans", (dir: string) => `FROM sqlite_scan('${dir}/a.db', 't')`, "extension sqlite_scanner"],
    ["reads elsewhere", (dir: string) => `FROM '${dir}/secret.csv'`, "secret.csv. A query reads the project's folder"],
    ["climbs", (dir: string) => `FROM 'a/../../${basename(dir)}/secret.csv'`, "may not read"],
    ["lists", (dir: string) => `SELECT * FROM glob('${dir}/*')`, "may not read"],
    ["reads text", () => "SELECT * FROM read_text('/etc/hostname')", "may not read /etc/hostname"],
    ["writes a log", (dir: string) => `SELECT * FROM read_blob('${dir}/secret.csv')`, "may not read"],
  ])("is not what one does that %s", async (_, queryOf, reason) => {
    const [projectDir, folder] = [newFolder(), outside()];
    write(projectDir, "a/b.csv", "y\n1\n");
    const message = await messageOf(readTable(queryOf(folder), { projectDir }));
    expect(message).toContain(reason);
    expect(message).not.toContain("\n");
    expect(readdirSync(folder)).toEqual(["secret.csv"]);
  });

  test("may begin after comments and brackets", async () => {
    const projectDir = newFolder();
    write(projectDir, "own.csv", "y\n1\n");
    for (const before of ["-- a note\n", "/* a note\n with (brackets) */ ", "(", " -- one\n/* two */ (("]) {
      const after = ")".repeat(before.match(/\((?!b)/g)?.length ?? 0);
      const table = await readTable(`${before}SELECT y FROM 'own.csv'${after}`, { projectDir });
      expect(table.columns.get("y")).toEqual([1]);
    }
    const message = await messageOf(readTable("-- a note\nCOPY (SELECT 1) TO 'x.csv'", { projectDir }));
    expect(message).toContain("There is no");
  });

  test("is to read the project's folder, those of its tables, and what data.allow names", async () => {
    const [projectDir, folder, other] = [newFolder(), outside(), outside()];
    write(projectDir, "own.csv", "y\n1\n");
    symlinkSync(folder, join(projectDir, "link"));
    const query = (from: string) => `SELECT y FROM read_csv('${from}')`;
    const read = async (from: string, allow: string[] = []) =>
      (await readTable(query(from), { projectDir, allow })).columns.get("y");
    expect(await read("own.csv")).toEqual([1]);
    expect(await read(join(folder, "secret.csv"), [folder])).toEqual([7]);
    expect(await read(join(folder, "*.csv"), [join(folder, "secret.csv"), folder])).toEqual([7]);
    expect(await read(join(folder, "secret.csv"), [join(folder, "secret.csv")])).toEqual([7]);
    expect(await messageOf(read("link/secret.csv"))).toContain("may not read");
    expect(await read("link/secret.csv", ["link"])).toEqual([7]);
    const sources = [{ table: join(other, "secret.csv") }, { table: query(join(other, "secret.csv")) }];
    expect((await readTables(sources, projectDir)).rows).toBe(2);
  });

  test("is to read whatever it names, where it has just been typed", async () => {
    const [projectDir, folder] = [newFolder(), outside()];
    const read = async (query: string) => (await readTable(query, { projectDir, typed: true })).columns.get("y");
    expect(await read(`FROM '${folder}/secret.csv'`)).toEqual([7]);
    expect(await read(`SELECT y FROM read_csv(['${folder}/*.csv'])`)).toEqual([7]);
    expect(await messageOf(read(`SELECT content AS y FROM read_text('/etc/' || 'hostname')`))).toContain(
      "may not read",
    );
  });

  test("of tables named with pattern characters, each is the file of that name", async () => {
    const projectDir = newFolder();
    write(projectDir, "d[x] *?/a[1].csv", "y\n1\n");
    write(projectDir, "d[x] *?/a1.csv", "y\n2\n");
    write(projectDir, "dx zz/a1.csv", "y\n3\n");
    const table = await readTable("d[x] *?/a[1].csv", { projectDir });
    expect(table.columns.get("y")).toEqual(["1"]);
    const file = join(projectDir, "d[x] *?", "b[1].parquet");
    await writeTable(file, [{ name: "y", type: "INTEGER" }], [[5]]);
    write(projectDir, "d[x] *?/b1.parquet", "none");
    expect(await readParquet(file, ["y"], "y")).toEqual([[5]]);
  });
});
