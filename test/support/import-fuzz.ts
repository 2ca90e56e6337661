/**
 * @file Exports of a true run, changed in every way that fast-check finds: each must be imported soundly or refused with
 * one error, nothing in it executed, nothing written outside of the store.
 */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { create } from "tar";
import { expect } from "vitest";
import { evaluateRun } from "../../src/asking/evaluate-run.js";
import { interpretRun } from "../../src/asking/interpret-run.js";
import { loadRun } from "../../src/asking/load-run.js";
import { tuneRun } from "../../src/asking/tune-run.js";
import { compareRuns } from "../../src/comparing/compare-runs.js";
import { diffRuns } from "../../src/comparing/diff-runs.js";
import { CoolError } from "../../src/errors.js";
import { loadProject } from "../../src/project/load-project.js";
import { showRun } from "../../src/records/list-runs.js";
import { exportRun, importRuns } from "../../src/records/transfer.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { writeFiles } from "./folders.js";
import { writeNumberProject } from "./number-project.js";

/** A change of an exported folder. */
export type Mutation =
  | { readonly kind: "bytes"; readonly file: number; readonly at: number; readonly value: number }
  | { readonly kind: "cut"; readonly file: number; readonly at: number }
  | { readonly kind: "json"; readonly document: number; readonly at: number; readonly value: number }
  | { readonly kind: "delete"; readonly file: number }
  | { readonly kind: "link"; readonly file: number; readonly toFolder: boolean }
  | { readonly kind: "folder"; readonly file: number }
  | { readonly kind: "add"; readonly which: number }
  | { readonly kind: "cell"; readonly table: number; readonly column: number; readonly value: number }
  | { readonly kind: "schema"; readonly which: number };

const index = fc.nat(1 << 20);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("bytes" as const), file: index, at: index, value: fc.nat(255) }),
  fc.record({ kind: fc.constant("cut" as const), file: index, at: index }),
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("json" as const), document: index, at: index, value: index }) },
  fc.record({ kind: fc.constant("delete" as const), file: index }),
  fc.record({ kind: fc.constant("link" as const), file: index, toFolder: fc.boolean() }),
  fc.record({ kind: fc.constant("folder" as const), file: index }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("add" as const), which: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("cell" as const), table: index, column: index, value: index }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("schema" as const), which: index }) },
);

/** One export with some changes, as somebody would send it. */
export const parcel = fc.record({
  mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
  /** Whether the digests on record are those of the changed files. */
  recorded: fc.boolean(),
  packed: fc.boolean(),
});
export type Parcel = typeof parcel extends fc.Arbitrary<infer Value> ? Value : never;

export interface FuzzPlace {
  /** @throws where the export does harm, or is neither taken nor refused as it should be; tells what became of it */
  tryParcel(parcel: Parcel): Promise<"imported" | "refused">;
  remove(): void;
}

/** Trains one run, and lays out canaries that hostile exports point at. */
export async function openFuzzPlace(): Promise<FuzzPlace> {
  const place = mkdtempSync(join(tmpdir(), "import-fuzz-"));
  const project = join(place, "project");
  writeNumberProject(project);
  const origin = join(place, "origin");
  await trainRun(await loadProject(project), { store: origin, backend: "cpu", name: "true" });
  const store = openRunStore(origin);
  const exported = exportRun(store, "true", join(place, "exported")).path;
  store.close();
  const canary = join(place, "canary");
  const touch = `require("node:fs").writeFileSync(${JSON.stringify(canary)}, "executed");`;
  const native = join(place, "native");
  writeFiles(native, {
    "cool.config.cjs": touch,
    "cool.config.js": touch,
    "node_modules/@tensorflow/tfjs-node/package.json": '{"version":"4.22.0"}',
    "node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node": "no addon",
    "node_modules/@tensorflow/tfjs-node/dist/register_all_kernels.js": touch,
    "node_modules/@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js": touch,
    "victim/precious": "precious",
  });
  const values = valuesOf(native);
  return {
    async tryParcel({ mutations, recorded, packed }) {
      const scratch = mkdtempSync(join(place, "parcel-"));
      try {
        const sent = join(scratch, "sent");
        cpSync(exported, sent, { recursive: true });
        for (const change of mutations) tryTo(() => mutate(sent, change, values, native, touch));
        if (recorded) recordAgain(sent);
        const path = packed ? join(scratch, "sent.tar.gz") : sent;
        if (packed) create({ file: path, gzip: true, cwd: scratch, sync: true, portable: true }, ["sent"]);
        // a change of the parcel may itself have written through a link of an earlier one
        const before = snapshot(native);
        const outcome = await receive(path, join(scratch, "store"), project);
        expect(existsSync(canary), "executed").toBe(false);
        expect(snapshot(native), "written elsewhere").toEqual(before);
        expect(readdirSync(scratch).sort()).toEqual(packed ? ["sent", "sent.tar.gz", "store"] : ["sent", "store"]);
        return outcome;
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
    remove: () => rmSync(place, { recursive: true, force: true }),
  };
}

/** Imports, and asks of what came in whatever a user may ask. */
async function receive(path: string, storeDir: string, project: string): Promise<"imported" | "refused"> {
  const store = openRunStore(storeDir);
  try {
    const refusal = await errorOf(() => importRuns(store, path));
    const runs = readdirSync(storeDir).includes("runs") ? readdirSync(join(storeDir, "runs")) : [];
    expect(readdirSync(storeDir).filter((name) => !/^(cool\.db(-wal|-shm)?|runs)$/.test(name))).toEqual([]);
    if (refusal !== null) {
      expect(runs).toEqual([]);
      expect(store.listRuns({ includeTrash: true })).toEqual([]);
      return "refused";
    }
    expect(store.listRuns({ includeTrash: true }).map(({ id }) => id)).toEqual(runs);
    for (const id of runs) await useRun(store, id, project);
    return "imported";
  } finally {
    store.close();
  }
}

async function useRun(store: RunStore, id: string, project: string): Promise<void> {
  const table = join(project, "labels.csv");
  store.restoreRun(id);
  // what has been taken in is shown
  showRun(store, id);
  const questions = [
    () => compareRuns(store, [id]),
    () => evaluateRun(store, id),
    () => interpretRun(store, id),
    () => tuneRun(store, id),
    async () => {
      const loaded = await loadRun(store.dir, id, { backend: "cpu" });
      try {
        await loaded.predict([table]);
        await loaded.explain([table]);
      } finally {
        loaded.close();
      }
    },
    async () => trainRun(await loadProject(project), { store: store.dir, again: id, backend: "cpu", epochs: 1 }),
    async () => trainRun(await loadProject(project), { store: store.dir, resume: id, backend: "cpu", epochs: 2 }),
    () => {
      const [other] = store.listRuns().filter((run) => run.id !== id);
      if (other !== undefined) diffRuns(store, [id, other.id], { projectDir: project });
    },
  ];
  for (const ask of questions) await errorOf(ask);
}

/** The error of ours that work ends with; null where it does not. */
async function errorOf(work: () => unknown): Promise<CoolError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    expect(error.message).not.toMatch(/undefined|\n|\[object|is not a function|Cannot read prop/);
    return error;
  }
}

/** What is put in the place of something. */
function valuesOf(native: string): readonly unknown[] {
  return [
    ...[null, true, 0, -1, 1.5, 1e15, "", "x", "../../x", "/etc/passwd", "__proto__", "constructor", [], {}, [[]]],
    ...[[null], { kind: "own" }, { kind: "binary" }, "é\u001b[2J", "x".repeat(5000), Array(500).fill(0)],
    ...[join(native, "cool.config.cjs"), join(native, "cool.config.js"), native, join(native, "victim")],
    "select * from read_text('/etc/hostname')",
  ];
}

/** Another change may have taken away what this one changes. */
function tryTo(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
  }
}

const ENDLESS = '"\u0000endless"';

function mutate(sent: string, change: Mutation, values: readonly unknown[], native: string, touch: string): void {
  const files = filesBelow(sent);
  const fileAt = (i: number): string => files[i % files.length] ?? "cool.db";
  const valueAt = (i: number): unknown => values[i % values.length];
  switch (change.kind) {
    case "bytes": {
      const bytes = readFileSync(join(sent, fileAt(change.file)));
      if (bytes.length > 0) bytes[change.at % bytes.length] = change.value;
      writeFileSync(join(sent, fileAt(change.file)), bytes);
      return;
    }
    case "cut": {
      const bytes = readFileSync(join(sent, fileAt(change.file)));
      writeFileSync(join(sent, fileAt(change.file)), bytes.subarray(0, change.at % (bytes.length + 1)));
      return;
    }
    case "json": {
      const documents = files.filter((file) => file.endsWith(".json"));
      const file = join(sent, documents[change.document % documents.length] ?? "");
      if (!existsSync(file)) return;
      const text = readFileSync(file, "utf8");
      writeFileSync(file, changedJson(text, change.at, change.value % 10 === 0 ? ENDLESS : valueAt(change.value)));
      return;
    }
    case "delete":
      rmSync(join(sent, fileAt(change.file)));
      return;
    case "link": {
      const path = join(sent, fileAt(change.file));
      const place = change.toFolder ? dirname(path) : path;
      if (place === sent) return;
      rmSync(place, { recursive: true });
      symlinkSync(join(native, change.toFolder ? "victim" : "victim/precious"), place);
      return;
    }
    case "folder": {
      const path = join(sent, fileAt(change.file));
      renameSync(path, `${path}.away`);
      mkdirSync(path);
      return;
    }
    case "add":
      addHostile(sent, change.which, touch, native);
      return;
    case "cell":
      inDatabase(sent, (sqlite) => changeCell(sqlite, change, valueAt(change.value)));
      return;
    case "schema":
      inDatabase(sent, (sqlite) => sqlite.exec(SCHEMAS[change.which % SCHEMAS.length] ?? ""));
      return;
    default:
      change satisfies never;
  }
}

/** Changes one value somewhere in a document, or takes it away. */
function changedJson(text: string, at: number, value: unknown): string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return text;
  }
  const places: [Record<string, unknown>, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, inner] of Object.entries(node)) {
      places.push([node as Record<string, unknown>, key]);
      visit(inner);
    }
  };
  visit(document);
  const [holder, key] = places[at % places.length] ?? [{}, ""];
  if (at % 7 === 0) delete holder[key];
  else if (at % 11 === 0) holder[`${key}x`] = value;
  else holder[key] = value;
  return JSON.stringify(document).replace(JSON.stringify(ENDLESS), "1e999");
}

function addHostile(sent: string, which: number, touch: string, native: string): void {
  const [id = ""] = existsSync(join(sent, "runs")) ? readdirSync(join(sent, "runs")) : [];
  const additions: readonly (() => void)[] = [
    () => writeFiles(sent, { "cool.config.js": touch, "package.json": "{}" }),
    () => writeFiles(join(sent, "runs", id), { "cool.config.js": touch }),
    () => cpSync(join(native, "node_modules"), join(sent, "runs", id, "node_modules"), { recursive: true }),
    () => symlinkSync(join(native, "victim"), join(sent, "runs", id, "more")),
    () => symlinkSync(join(native, "victim", "precious"), join(sent, "cool.db-journal")),
    () => writeFiles(sent, { "cool.db-journal": "x".repeat(600) }),
    () => writeFiles(sent, { "runs/evil/config.json": "{}", "lost/x": "" }),
    () => writeFiles(join(sent, "runs", id), { "predictions/test.parquet": "PAR1", "checkpoints/last/x": "" }),
  ];
  additions[which % additions.length]?.();
}

function inDatabase(sent: string, work: (sqlite: Sqlite.Database) => void): void {
  const file = join(sent, "cool.db");
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return;
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new Sqlite(file);
    sqlite.pragma("foreign_keys = OFF");
    sqlite.pragma("ignore_check_constraints = ON");
    work(sqlite);
  } catch {
    // another change has damaged it, or the type of the column is in the way
  } finally {
    sqlite?.close();
  }
}

function changeCell(
  sqlite: Sqlite.Database,
  { table, column }: Extract<Mutation, { kind: "cell" }>,
  value: unknown,
): void {
  const tables = sqlite.prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const { name = "runs" } = tables[table % tables.length] ?? {};
  const columns = sqlite.prepare<[string], { name: string }>("SELECT name FROM pragma_table_info(?)").all(name);
  const { name: changed = "id" } = columns[column % columns.length] ?? {};
  const bound = typeof value === "object" ? JSON.stringify(value) : typeof value === "boolean" ? 1 : value;
  sqlite.prepare(`UPDATE ${name} SET ${changed} = ? WHERE rowid IN (SELECT rowid FROM ${name} LIMIT 1)`).run(bound);
}

const SCHEMAS = [
  "CREATE TRIGGER evil AFTER INSERT ON runs BEGIN DELETE FROM run_tags; END",
  "ALTER TABLE runs RENAME TO r; CREATE VIEW runs AS SELECT * FROM r",
  "DROP TABLE thresholds",
  "CREATE TABLE more (x)",
  "ALTER TABLE runs ADD COLUMN more",
  "PRAGMA user_version = 0",
  "PRAGMA user_version = 99",
  "PRAGMA user_version = 1",
  "PRAGMA application_id = 1",
  "PRAGMA journal_mode = DELETE",
  "DELETE FROM runs",
  "DELETE FROM artifacts",
  "DELETE FROM thresholds",
  "UPDATE runs SET state = 'running'",
  "UPDATE runs SET state = 'interrupted'",
];

/** Writes the digests of the files as they are now, as a sender would who knows how. */
function recordAgain(sent: string): void {
  const runsDir = join(sent, "runs");
  if (lstatSync(runsDir, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  inDatabase(sent, (sqlite) => {
    sqlite.exec("DELETE FROM artifacts");
    for (const id of readdirSync(runsDir)) {
      for (const path of filesBelow(join(runsDir, id))) {
        const bytes = readFileSync(join(runsDir, id, path));
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        sqlite.prepare("INSERT INTO artifacts VALUES (?, ?, ?, ?)").run(id, path, bytes.length, sha256);
      }
    }
  });
}

/** Files, not links, by their path. */
function filesBelow(dir: string): string[] {
  if (lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((entry) => {
      if (entry.isDirectory()) return filesBelow(join(dir, entry.name)).map((path) => `${entry.name}/${path}`);
      return entry.isFile() ? [entry.name] : [];
    })
    .sort();
}

function snapshot(dir: string): Record<string, string> {
  return Object.fromEntries(filesBelow(dir).map((path) => [path, readFileSync(join(dir, path), "utf8")]));
}
