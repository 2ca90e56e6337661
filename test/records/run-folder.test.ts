/** @file Documents of a run that cannot be read are one line of an error, whatever stands in them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StoreError } from "../../src/errors.js";
import { readJson } from "../../src/records/run-folder.js";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "run-folder-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  ["lines of its own", '{\n  "f1_score_macro": f,\n  "recall": 1\n}', "is not valid JSON"],
  ["nothing", "", "Unexpected end of JSON input"],
  ["half of a list", "[1,\n2", "JSON"],
])("a document with %s", (_, text, reason) => {
  const file = join(dir, "document.json");
  writeFileSync(file, text);
  const read = (): unknown => readJson(file);
  expect(read).toThrow(StoreError);
  expect(read).toThrow(reason);
  expect(read).not.toThrow(/\n/);
});
