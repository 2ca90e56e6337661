/** @file Names, notes and paths that mean harm: stored or refused, never executed, never written outside the store. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { type CliResult, cool, coolJson } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

/** On one line of a terminal: stored as they are. */
const STORED = {
  SQL: "'; drop table runs; --",
  "a path upwards": "../../x",
  "an absolute path": "/etc/passwd",
  "a shell command": "$(touch pwned) `touch pwned` ; touch pwned #",
  emoji: "🦊👩‍👩‍👧‍👦 ✓",
  "right to left": "שלום‎ مرحبا",
  "a template": "<%= config.bin %> {{x}} %s %n",
  "a glob": "*?[!a]~",
  quotes: `"'\\"`,
} as const;
const REFUSED = {
  "a line break": ["two\nlines", /control character or line break \(U\+000A\)/],
  "an escape sequence": ["\u001B[2Jgone", /control character or line break \(U\+001B\)/],
  "10,000 characters": ["x".repeat(10_000), /has 10000 characters; shorten it to 200/],
  nothing: ["  ", /must not be empty/],
} as const;

let project: TinyProject;
/** Holds the store and nothing else. */
let folder: string;
let store: string;
let id: string;
const flags = () => ["--store", store];

beforeAll(async () => {
  project = await tinyProject();
  folder = mkdtempSync(join(tmpdir(), "cool-hostile-"));
  store = join(folder, "deep", "er", "store");
  const { run } = await coolJson<{ run: { id: string } }>(["run", project.dir, ...flags(), "--epochs", "1"]);
  id = run.id;
});
afterAll(() => {
  project.remove();
  rmSync(folder, { recursive: true, force: true });
});

function stored() {
  const opened = openRunStore(store, { readonly: true });
  try {
    return opened.getRun(id);
  } finally {
    opened.close();
  }
}

/** Nothing but the store lies in the folder, and the store is sound. */
function expectNoHarm(): void {
  const outside = [folder, join(folder, "deep"), join(folder, "deep", "er")].flatMap((dir) => readdirSync(dir));
  expect(outside).toEqual(["deep", "er", "store"]);
  expect(readdirSync(join(store, "runs")).every((name) => /^\d{8}-\d{6}-\w{4}$/.test(name))).toBe(true);
  expect(existsSync("pwned")).toBe(false);
  const database = new Database(join(store, "cool.db"), { readonly: true });
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(database.prepare("SELECT count(*) FROM runs").pluck().get()).toBeGreaterThan(0);
  database.close();
}

function expectRefusal({ code, stdout, stderr }: CliResult, pattern: RegExp): void {
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^Error: [^\n]+\n$/);
  expect(stderr).toMatch(pattern);
  expect(stderr.length).toBeLessThan(500);
}

describe.each(Object.entries(STORED))("%s", (_, text) => {
  test("is stored as the name, the tag and the note of a run, and finds it", async () => {
    for (const args of [
      ["runs", "rename", ...flags(), "--", id, text],
      ["runs", "tag", id, `--add=${text}`, ...flags()],
      ["runs", "note", ...flags(), "--", id, text],
    ]) {
      expect(await cool(args)).toMatchObject({ code: 0, stderr: "" });
    }
    expect(stored()).toMatchObject({ name: text, tags: expect.arrayContaining([text]), note: text });
    const shown = await cool(["runs", "show", ...flags(), "--", text]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(id);
    const { runs } = await coolJson<{ runs: { id: string }[] }>(["runs", "list", `--tag=${text}`, ...flags()]);
    expect(runs.map((one) => one.id)).toEqual([id]);
    expectNoHarm();
  });
});

test("a flag is stored as a name, a tag and a note where it cannot be taken for one", async () => {
  for (const args of [
    ["runs", "rename", ...flags(), "--", id, "--json"],
    ["runs", "tag", id, "+--json", ...flags()],
    ["runs", "note", ...flags(), "--", id, "--json"],
  ]) {
    expect(await cool(args)).toMatchObject({ code: 0, stderr: "" });
  }
  expect(stored()).toMatchObject({ name: "--json", tags: expect.arrayContaining(["--json"]), note: "--json" });
  const where = "tag = '--json' and name = '--json' and note = '--json'";
  const { runs } = await coolJson<{ runs: { id: string }[] }>(["runs", "list", "--where", where, ...flags()]);
  expect(runs.map((one) => one.id)).toEqual([id]);
});

describe.each(Object.entries(REFUSED))("%s", (_, [text, pattern]) => {
  test("is refused as a name and as a tag", async () => {
    const before = stored();
    expectRefusal(await cool(["runs", "rename", id, text, ...flags()]), pattern);
    expectRefusal(await cool(["runs", "tag", id, `--add=${text}`, ...flags()]), pattern);
    expect(stored()).toEqual(before);
    expectNoHarm();
  });
});

test("a new run has a hostile name, or there is no new run", async () => {
  const train = (name: string) => cool(["run", project.dir, ...flags(), "--epochs", "1", `--name=${name}`, "--json"]);
  const named = await train(STORED.SQL);
  expect(named.json).toMatchObject({ run: { name: STORED.SQL, state: "finished" } });
  const before = readdirSync(join(store, "runs"));
  const upwards = await train("../../x");
  expect(upwards.json).toMatchObject({ run: { name: "../../x" } });
  const refused = await train("two\nlines");
  expect(refused.code).toBe(2);
  expect(refused.json).toMatchObject({ error: "UsageError" });
  expect(readdirSync(join(store, "runs"))).toHaveLength(before.length + 1);
  expectNoHarm();
});

test("a note keeps its lines and its length", async () => {
  const note = `${"x".repeat(10_000)}\n\u001B[31mred\n'); drop table runs; --`;
  expect((await cool(["runs", "note", id, note, ...flags()])).code).toBe(0);
  expect(stored().note).toBe(note);
  const { stdout } = await cool(["runs", "show", id, ...flags()]);
  // a terminal is told nothing by a note
  expect(stdout).not.toContain("\u001B");
  expectNoHarm();
});

test.each([
  ["runs show", "../../x/y"],
  ["runs remove", "../deep"],
  ["runs restore", "/"],
  ["evaluate", "..%2f..%2fx"],
  ["runs export", "no' or 1=1 --"],
])("%s of a run named %s finds none", async (command, name) => {
  const { code, stderr } = await cool([...command.split(" "), name, ...flags()]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^Error: No run named /);
  expectNoHarm();
});

test("conditions and SQL only read", async () => {
  for (const args of [
    ["runs", "list", "--where", "name = 'x'; drop table runs"],
    ["runs", "list", "--sort", "name; drop table runs"],
    ["runs", "list", "--columns", "name from runs; drop table runs; --"],
    ["sql", "drop table runs"],
    ["sql", "select 1; drop table runs"],
    ["sql", "attach database 'pwned' as pwned"],
  ]) {
    const { code } = await cool([...args, ...flags()]);
    expect([args, code]).toEqual([args, expect.toBeOneOf([1, 2])]);
  }
  expectNoHarm();
});

test("a run with a hostile name is exported under its id, and imported with its name", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "cool-exported-"));
  try {
    expect((await cool(["runs", "rename", id, "../../../x", ...flags()])).code).toBe(0);
    expect((await cool(["runs", "export", id, ...flags()], { cwd: elsewhere })).code).toBe(0);
    expect(readdirSync(elsewhere)).toEqual([`${id}.tar.gz`]);
    const odd = "'; touch pwned; '\n🦊.tar.gz";
    expect((await cool(["runs", "export", id, "--to", odd, ...flags()], { cwd: elsewhere })).code).toBe(0);
    expect(readdirSync(elsewhere).sort()).toEqual([odd, `${id}.tar.gz`].sort());
    const other = join(elsewhere, "in", "store");
    mkdirSync(join(elsewhere, "in"));
    expect(await cool(["runs", "import", odd, "--store", other], { cwd: elsewhere })).toMatchObject({ code: 0 });
    const { runs } = await coolJson<{ runs: { id: string; name: string }[] }>(["runs", "list", "--store", other]);
    expect(runs).toMatchObject([{ id, name: "../../../x" }]);
    expect(readdirSync(join(elsewhere, "in"))).toEqual(["store"]);
    expectNoHarm();
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});
