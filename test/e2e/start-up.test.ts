/** @file What short commands load: a list of runs must not wait for a tensor library. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { cool } from "../support/cli.js";

const HEAVY = /^(@tensorflow\/|@duckdb\/|sharp$|jiti$|zod$|cli-progress$)/;
const preload = fileURLToPath(new URL("../support/log-imports.mjs", import.meta.url));

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-start-up-"));
  const store = openRunStore(dir);
  for (const name of ["one", "two"]) store.finishRun(store.createRun({ project: "p", name }).id, "finished");
  store.close();
});

afterAll(() => rmSync(dir, { recursive: true }));

async function heavyModules(args: readonly string[]): Promise<string[]> {
  const log = join(dir, `${args.join("-")}.log`);
  const result = await cool([...args, "--store", dir], {
    env: { NODE_OPTIONS: `--import ${preload}`, LOG_IMPORTS: log },
  });
  expect(result.stderr).not.toContain("Error");
  const loaded = new Set(readFileSync(log, "utf8").split("\n"));
  expect(loaded).toContain("better-sqlite3");
  return [...loaded].filter((name) => HEAVY.test(name)).sort();
}

test.each([
  [["runs", "list"]],
  [["runs", "list", "--where", "name = one", "--json"]],
  [["runs", "show", "one"]],
  [["runs", "tag", "one", "+good"]],
  [["compare", "runs", "one", "two", "--no-samples"]],
  [["sql", "select 1"]],
  [["watch", "one", "--once"]],
])("%j loads no heavy package", async (args) => {
  expect(await heavyModules(args)).toEqual([]);
});

test("what a command loads is seen", async () => {
  expect(await heavyModules(["doctor"])).toContain("@tensorflow/tfjs-core");
});
