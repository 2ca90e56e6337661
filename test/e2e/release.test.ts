/** @file Runs that the release before wrote: they open, answer, compare and go on as they did, but for what was renamed. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cool, coolJson } from "../support/cli.js";

const archive = fileURLToPath(new URL("../../fixtures/release-0.1/store.tar.gz", import.meta.url));
/** Where the fixture was made. */
const OLD_DIR = "/tmp/release-0.1";

/** Keys, tags and names that have another name today; the CHANGELOG lists them. */
const RENAMED: Readonly<Record<string, string>> = { own: "custom" };

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

let dir = "";
let documents: Readonly<Record<string, Json>> = {};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-release-"));
  execFileSync("tar", ["-xzf", archive, "-C", dir]);
  documents = JSON.parse(readFileSync(join(dir, "documents.json"), "utf8")) as Record<string, Json>;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What a command prints, as if the project still lay where the fixture was made. */
async function run(...args: readonly string[]): Promise<Json> {
  const document = JSON.stringify(await coolJson<Json>(args, { cwd: dir }));
  return withoutEndToEnd(JSON.parse(document.replaceAll(dir, OLD_DIR)) as Json);
}

/** A document without the rows of what a user gets, which came later. */
function withoutEndToEnd(document: Json): Json {
  if (document === null || typeof document !== "object") return document;
  if (isList(document)) return document.filter((one) => !isEndToEnd(one)).map(withoutEndToEnd);
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, withoutEndToEnd(value)]));
}

function isEndToEnd(value: Json): boolean {
  return value !== null && typeof value === "object" && !isList(value) && value.gates === "end_to_end";
}

/** A document of the old release in today's names. */
function today(document: Json): Json {
  if (typeof document === "string") return RENAMED[document] ?? document;
  if (document === null || typeof document !== "object") return document;
  if (isList(document)) return document.map(today);
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [RENAMED[key] ?? key, today(value)]));
}

/** A document without how sure it is of a difference in errors: intervals and p-values of those are computed otherwise since. */
function withoutDoubts(document: Json): Json {
  if (document === null || typeof document !== "object") return document;
  if (isList(document)) return document.map(withoutDoubts);
  const entries = Object.entries(document).map(([key, value]) => [key, withoutDoubts(value)] as const);
  const ofErrors = document.measure === "absolute_error" || document.measure === "loss";
  return Object.fromEntries(ofErrors ? entries.filter(([key]) => !DOUBTS.has(key)) : entries);
}

/** What `compare runs` says of a difference in errors by another method today. */
const DOUBTS: ReadonlySet<string> = new Set(["test", "interval", "p_value", "p_holm"]);

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** The answers of a tree by path, however its nodes hang. */
function answersOf(tree: Json): Map<string, Json> {
  const answers = new Map<string, Json>();
  const visit = (node: Json): void => {
    if (node === null || typeof node !== "object") return;
    if (isList(node)) {
      for (const each of node) visit(each);
      return;
    }
    if (typeof node.path === "string" && node.logits !== undefined && node.kind !== "flow") {
      answers.set(node.path, { decoded: node.decoded ?? null, activated: node.activated ?? null, logits: node.logits });
    }
    visit(node.children ?? null);
  };
  visit(tree);
  return answers;
}

describe("a store of the release before", () => {
  test.each([
    ["runs list", ["runs", "list"]],
    ["runs show", ["runs", "show", "first"]],
    ["compare runs", ["compare", "runs", "first", "second"]],
    ["runs diff", ["runs", "diff", "first", "second"]],
    ["evaluate", ["evaluate", "first"]],
    ["interpret", ["interpret", "first", "--top", "3"]],
    ["predict", ["predict", "labels.csv", "--run", "first"]],
    ["check", ["check"]],
    ["runs export-metrics", ["runs", "export-metrics", "first"]],
  ])("cool %s says what it said", async (name, args) => {
    expect(await run(...args)).toMatchObject(withoutDoubts(today(documents[name] ?? null)) as object);
  });

  test("its trees hold the same answers", async () => {
    const [then, now] = [documents.explain, await run("explain", "labels.csv", "--run", "first")].map((document) => {
      const { explanations } = document as { explanations: readonly { input: string; tree: Json }[] };
      return explanations.map(({ input, tree }) => [input, answersOf(tree)] as const);
    });
    expect(now).toHaveLength(60);
    expect(now).toEqual(then);
  });

  test("tuning it again gives the same thresholds", async () => {
    expect(await run("tune", "second", "--metric", "accuracy")).toMatchObject(today(documents.tune ?? null) as object);
  });

  test("its interrupted run goes on to the weights of the one that was not interrupted", async () => {
    const { code, stderr } = await cool(["run", "--resume", "third", "--json"], { cwd: dir });
    expect(stderr).toContain("epoch 6/6");
    expect(code).toBe(0);
    const { runs } = (await run("runs", "list")) as { runs: readonly { id: string; name: string; state: string }[] };
    const digests = ["first", "third"].map((wanted) => {
      const id = runs.find(({ name }) => name === wanted)?.id ?? "";
      const weights = readFileSync(join(dir, ".cool", "runs", id, "checkpoints", "last", "weights.bin"));
      return createHash("sha256").update(weights).digest("hex");
    });
    expect(digests[1]).toBe(digests[0]);
  });
});
