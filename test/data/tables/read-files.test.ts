/** @file What tables and queries are read from is not written over. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { refuseInputs } from "../../../src/data/tables/read-files.js";

const dir = mkdtempSync(join(tmpdir(), "cool-read-"));
afterAll(() => rmSync(dir, { recursive: true }));
const labels = join(dir, "labels.csv");
const other = join(dir, "it's.csv");
for (const file of [labels, other]) writeFileSync(file, "x\n1\n");

describe("a file to write", () => {
  it.each([
    ["by its name", `select * from '${labels}'`],
    ["in double quotes", `from "${labels}" limit 3`],
    ["beside a comment with a quote", `select 1 /* don't */ union -- it's\n from '${labels}'`],
    ["by a function", `select * from read_csv(['${labels}', 'no.csv'], header = true)`],
    ["by a pattern", `select * from '${join(dir, "l*.csv")}'`],
  ])("is none that a query reads, named %s", async (_, query) => {
    await expect(refuseInputs(labels, [query], [])).rejects.toThrow(UsageError);
    await refuseInputs(join(dir, "free.csv"), [query], []);
  });

  it("is none of the tables that a run was made of, from whatever folder they are named", async () => {
    await expect(refuseInputs(labels, ["a.png"], [{ table: "labels.csv", folder: dir }])).rejects.toThrow("is read");
    const query = { table: "select * from 'labels.csv'", folder: dir };
    await expect(refuseInputs(labels, ["a.png"], [query])).rejects.toThrow("Name another file with --out");
    await expect(refuseInputs(other, [`select * from '${other.replace("'", "''")}'`], [])).rejects.toThrow();
    await refuseInputs(labels, ["a.png", "select 1 as x"], [{ table: "other.csv", folder: dir }]);
  });
});
