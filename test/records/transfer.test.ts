/** @file Runs exported, imported and merged; what comes from elsewhere may be hostile. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { exportRun, importRuns, mergeStore } from "../../src/records/transfer.js";
import { readOnlySql } from "../../src/storage/query/read-only-sql.js";
import type { RunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir, thrownBy } from "../storage/support.js";
import { finishedRun } from "../support/folders.js";

/** All that the store knows of a run. */
function everything(store: RunStore, id: string): unknown[] {
  return [
    store.getRun(id),
    store.readConfig(id),
    store.readEnvironment(id),
    store.readMetrics(id),
    store.readThresholds(id),
    store.readEvaluation(id),
    store.readInterpretation(id),
    store.readArtifacts(id),
    readdirSync(store.runDir(id), { recursive: true }).sort(),
    readFileSync(join(store.runDir(id), "stdout.log"), "utf8"),
  ];
}

describe.each(["exported", "exported.tar.gz"])("a run exported to %s", (name) => {
  test("is imported elsewhere with its id and everything", () => {
    const [source, target] = [openStore(temporaryDir()), openStore(temporaryDir())];
    const id = finishedRun(source, "a");
    const { path } = exportRun(source, "a", join(temporaryDir(), "new", name));
    expect(importRuns(target, path)).toMatchObject({ added: [{ id, name: "a" }], same: [], refused: [] });
    expect(everything(target, id)).toEqual(everything(source, id));
    expect(importRuns(target, path)).toMatchObject({ added: [], same: [{ id }] });
    expect(readdirSync(target.dir).filter((entry) => entry.startsWith("."))).toEqual([]);
    expect(readdirSync(join(target.dir, "runs"))).toEqual([id]);
  });

  test("is refused where another run has its id", () => {
    const [source, target] = [openStore(temporaryDir()), openStore(temporaryDir())];
    const id = finishedRun(source, "a");
    const { path } = exportRun(source, "a", join(temporaryDir(), name));
    importRuns(target, path);
    target.updateRun(id, { name: "changed" });
    expect(thrownBy(() => importRuns(target, path)).message).toContain(`another run ${id}`);
    expect(target.getRun(id).name).toBe("changed");
  });
});

test("an export never writes over what is there", () => {
  const store = openStore(temporaryDir());
  finishedRun(store, "a");
  const file = join(temporaryDir(), "a.tar.gz");
  writeFileSync(file, "precious");
  expect(() => exportRun(store, "a", file)).toThrow("is there already");
  expect(readFileSync(file, "utf8")).toBe("precious");
});

test("a run that is being trained is neither exported nor merged", () => {
  const [store, other] = [openStore(temporaryDir()), openStore(temporaryDir())];
  const { id } = other.createRun({ project: "p", name: "live" });
  expect(() => exportRun(other, "live")).toThrow("is being trained");
  expect(mergeStore(store, other.dir)).toMatchObject({ added: [], refused: [{ id, reason: "it is being trained" }] });
});

test("two stores are merged: what is new is added, what is there stays, what differs is reported", () => {
  const [store, other] = [openStore(temporaryDir()), openStore(temporaryDir())];
  const ids = ["one", "two", "three"].map((name) => finishedRun(other, name));
  const [first = "", second = "", third = ""] = ids;
  importRuns(store, exportRun(other, first, join(temporaryDir(), "x")).path);
  importRuns(store, exportRun(other, second, join(temporaryDir(), "x")).path);
  other.addTags(second, ["later"]);
  other.trashRun(third);
  const merged = mergeStore(store, other.dir);
  expect(merged.added.map(({ id }) => id)).toEqual([third]);
  expect(merged.same.map(({ id }) => id)).toEqual([first]);
  expect(merged.refused.map(({ id }) => id)).toEqual([second]);
  expect(store.getRun(third).deletedAt).not.toBeNull();
  expect(store.getRun(second).tags).toEqual(["t"]);
  expect(() => mergeStore(store, store.dir)).toThrow("merged into itself");
  expect(() => mergeStore(store, temporaryDir())).toThrow("is no run store");
});

describe("an import from a stranger", () => {
  /** A store with one run, after some SQL. */
  function tampered(sql: string, name = "a"): string {
    const other = openStore(temporaryDir());
    finishedRun(other, name);
    other.close();
    const sqlite = new Sqlite(join(other.dir, "cool.db"));
    sqlite.pragma("foreign_keys = OFF");
    sqlite.exec(sql);
    sqlite.close();
    return other.dir;
  }

  function refusal(dir: string): string {
    const store = openStore(temporaryDir());
    const { message } = thrownBy(() => importRuns(store, dir));
    expect(readOnlySql(store.dir, "SELECT count(*) FROM runs").rows).toEqual([[0]]);
    expect(existsSync(join(store.dir, "runs")) ? readdirSync(join(store.dir, "runs")) : []).toEqual([]);
    return message;
  }

  test("with an id that is a path is refused", () => {
    expect(refusal(tampered("UPDATE runs SET id = '../../x'"))).toContain('"../../x" is not the id of a run');
  });

  test("with a name that would control the terminal is refused", () => {
    expect(refusal(tampered("UPDATE runs SET name = char(27) || '[2J'"))).toContain("control character");
  });

  test("with an artifact outside of its folder is refused", () => {
    expect(refusal(tampered("UPDATE artifacts SET path = '../../.bashrc'"))).toContain("outside of its run's folder");
  });

  test("with links in its folder is taken without them", () => {
    const other = openStore(temporaryDir());
    const id = finishedRun(other, "a");
    symlinkSync("/etc/hostname", join(other.runDir(id), "link"));
    symlinkSync("/etc", join(other.runDir(id), "folder"));
    const store = openStore(temporaryDir());
    importRuns(store, other.dir);
    expect(readdirSync(store.runDir(id)).sort()).toEqual(["checkpoints", "stdout.log"]);
  });

  test("packed with a name that leads outside is not unpacked", () => {
    const dir = temporaryDir();
    mkdirSync(join(dir, "inner"));
    writeFileSync(join(dir, "evil"), "evil");
    const file = join(dir, "evil.tar.gz");
    execFileSync("tar", ["-czPf", file, "-C", join(dir, "inner"), "../evil"]);
    expect(refusal(file)).toContain('holds "../evil", which lies outside');
  });

  test("that is no archive, or holds no run, says so", () => {
    const dir = temporaryDir();
    writeFileSync(join(dir, "text.tar.gz"), "not packed");
    expect(refusal(join(dir, "text.tar.gz"))).toContain("cannot be read");
    execFileSync("tar", ["-czf", join(dir, "other.tgz"), "-C", dir, "text.tar.gz"]);
    expect(refusal(join(dir, "other.tgz"))).toContain("holds no exported run");
    expect(refusal(join(dir, "nothing"))).toContain("There is no");
  });

  test("with SQL in its name is stored as it is", () => {
    const name = "'; drop table runs; --";
    const store = openStore(temporaryDir());
    importRuns(store, tampered("", name));
    expect(store.findRun(name).name).toBe(name);
  });
});
