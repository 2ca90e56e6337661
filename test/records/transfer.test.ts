/** @file Runs exported, imported and merged; what comes from elsewhere may be hostile. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { IMPORTED_MARK, isImported } from "../../src/records/origin/origin.js";
import { exportRun, importRuns, mergeStore } from "../../src/records/transfer.js";
import { collectGarbage, removeRuns, restoreRuns } from "../../src/records/trash.js";
import { readOnlySql } from "../../src/storage/query/read-only-sql.js";
import type { RunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir, thrownBy } from "../storage/support.js";
import { finishedRun } from "../support/folders.js";

function calibrationOf(tasks: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ formatVersion: 1, method: "temperature", split: "valid", tasks });
}

function isotonic(scores: readonly number[], probabilities: readonly number[]) {
  return { method: "isotonic", maps: [{ scores, probabilities }] };
}

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
    readdirSync(store.runDir(id), { recursive: true })
      .map(String)
      .filter((path) => path !== IMPORTED_MARK)
      .sort(),
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
    expect([isImported(source.runDir(id)), isImported(target.runDir(id))]).toEqual([false, true]);
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
    expect(refusal(tampered("UPDATE artifacts SET path = '../../.bashrc' WHERE path = 'config.json'"))).toContain(
      "outside of its run's folder",
    );
  });

  test("of two runs, one of which breaks a constraint, brings the other one", () => {
    const other = openStore(temporaryDir());
    const [bad, good] = [finishedRun(other, "bad"), finishedRun(other, "good")];
    const sqlite = new Sqlite(join(other.dir, "cool.db"));
    sqlite.pragma("ignore_check_constraints = ON");
    sqlite.prepare("UPDATE runs SET state = 'lost' WHERE id = ?").run(bad);
    sqlite.close();
    const store = openStore(temporaryDir());
    expect(mergeStore(store, other.dir)).toMatchObject({ added: [{ id: good }], refused: [{ id: bad }] });
  });

  test.each([
    ["a file", "link", "/etc/hostname"],
    ["a folder", "folder", "/etc"],
    ["a folder further down", "checkpoints/more", "/etc"],
  ])("with a link to %s in its folder is refused", (_, path, target) => {
    const other = openStore(temporaryDir());
    const id = finishedRun(other, "a");
    symlinkSync(target, join(other.runDir(id), path));
    expect(refusal(other.dir)).toBe(
      `Run ${id} was not imported: ${path} is a link or a device, and not a file of a run.`,
    );
  });

  test.each(["runs", "run", "checkpoints/best"])("whose %s is a link is refused", (what) => {
    const other = openStore(temporaryDir());
    const id = finishedRun(other, "a");
    const place =
      what === "runs" ? join(other.dir, "runs") : what === "run" ? other.runDir(id) : join(other.runDir(id), what);
    const away = join(temporaryDir(), "away");
    renameSync(place, away);
    symlinkSync(away, place);
    expect(refusal(other.dir)).toContain("is a link");
  });

  test.each([
    [
      "a view in the place of its runs",
      "ALTER TABLE runs RENAME TO r; CREATE VIEW runs AS SELECT * FROM r",
      // tables that name its runs name "r" now; which of all is found first does not matter
      "is not a store as dnn-cool makes it",
    ],
    ["a trigger", "CREATE TRIGGER t AFTER INSERT ON run_tags BEGIN DELETE FROM runs; END", 'trigger "t"'],
    ["a table of another form", "ALTER TABLE runs ADD COLUMN more TEXT", 'its table "runs" is another one'],
    ["a further table", "CREATE TABLE more (x)", 'table "more"'],
    ["a virtual table", "CREATE VIRTUAL TABLE more USING fts5(x)", '"more'],
    ["a table less", "DROP TABLE artifacts", 'has no table "artifacts"'],
    ["no version", "PRAGMA user_version = 0", "is not a store as dnn-cool makes it"],
    ["a time that is none", "UPDATE runs SET started_at = 'yesterday'", "its startedAt is no time"],
    ["a setting that is no JSON", "UPDATE run_config SET type = 'json', value = '{'", "its settings cannot be read"],
    [
      "a state that there is not",
      "PRAGMA ignore_check_constraints = ON; UPDATE runs SET state = 'lost'",
      "was not imported: a row of its table runs is not as dnn-cool writes it (CHECK constraint failed: state",
    ],
    ["an endless threshold", "UPDATE thresholds SET value = 9e999", "is no number"],
  ])("with %s is refused", (_, sql, reason) => {
    expect(refusal(tampered(sql))).toContain(reason);
  });

  test.each(["-wal", "-shm", "-journal"])(
    "whose database has a link as its %s is refused, and nothing is written there",
    (end) => {
      const other = tampered("");
      const victim = join(temporaryDir(), "victim");
      writeFileSync(victim, "precious");
      rmSync(join(other, `cool.db${end}`), { force: true });
      symlinkSync(victim, join(other, `cool.db${end}`));
      expect(refusal(other)).toContain(`cool.db${end} is not a file of a store`);
      expect(readFileSync(victim, "utf8")).toBe("precious");
    },
  );

  /** A store with one run, after a change of its folder. */
  function damaged(change: (runDir: string, store: RunStore, id: string) => void): string {
    const other = openStore(temporaryDir());
    const id = finishedRun(other, "a");
    change(other.runDir(id), other, id);
    other.close();
    return other.dir;
  }

  test.each([
    "config.json",
    "graph.json",
    "thresholds.json",
    "checkpoints/best/model.json",
    "checkpoints/best/weights.bin",
  ])("without %s is refused", (path) => {
    expect(refusal(damaged((dir) => rmSync(join(dir, path))))).toContain(`its folder has no ${path}`);
  });

  test("with a file that is not the one on record is refused", () => {
    const flipped = (dir: string) => writeFileSync(join(dir, "checkpoints/best/weights.bin"), "weightS");
    expect(refusal(damaged(flipped))).toContain(
      "checkpoints/best/weights.bin is not the file that is on record: its SHA-256 or its size is another one",
    );
    const recorded = (_: string, store: RunStore, id: string) =>
      store.recordArtifacts(id, [{ path: "more.bin", bytes: 1, sha256: "ab" }]);
    expect(refusal(damaged(recorded))).toContain("its folder has no more.bin, which is on record");
  });

  test.each([
    ["thresholds.json", '{"door": 1e999}', '"door" is wrong'],
    ["thresholds.json", '{"door": "high"}', '"door" is wrong'],
    ["thresholds.json", '{"door": [0.5, 0.5]}', "it has 2 thresholds, and the task has 1"],
    ["thresholds.json", '{"window": 0.5}', "the run has no such task"],
    ["calibration.json", "{}", '"formatVersion" is wrong'],
    ["calibration.json", calibrationOf({ window: { method: "temperature", temperatures: [1] } }), "no such task"],
    ["calibration.json", calibrationOf({ door: { method: "temperature", temperatures: [-1] } }), "temperatures"],
    [
      "calibration.json",
      calibrationOf({ door: { method: "temperature", temperatures: [1, 2] } }),
      "has 2 temperatures",
    ],
    ["calibration.json", calibrationOf({ door: isotonic([0.5, 0.5], [0, 1]) }), "the scores of a map do not rise"],
    ["calibration.json", calibrationOf({ door: isotonic([0, 1], [1, 0]) }), "the probabilities of a map fall"],
    ["calibration.json", calibrationOf({ door: isotonic([0, 1], [0, 2]) }), "door"],
    ["graph.json", "{}", '"formatVersion" is wrong'],
    ["graph.json", "[[", "cannot be read"],
    ["graph.json", "[".repeat(100_000), "nested more than 200 deep"],
    ["config.json", "null", "it is wrong"],
    ["config.json", "", "cannot be read"],
  ])("with a broken %s (%#) is refused in one error", (path, text, reason) => {
    const message = refusal(
      damaged((dir, store, id) => {
        writeFileSync(join(dir, path), text);
        const sha256 = createHash("sha256").update(text).digest("hex");
        store.recordArtifacts(id, [{ path, bytes: text.length, sha256 }]);
      }),
    );
    expect(message).toContain(path);
    expect(message).toContain(reason);
    expect(message).not.toContain(".adding-");
  });

  test("that is larger than may be taken in is refused before it is unpacked", () => {
    const source = openStore(temporaryDir());
    const id = finishedRun(source, "a");
    const { path } = exportRun(source, id, join(temporaryDir(), "a.tar.gz"));
    const store = openStore(temporaryDir());
    const limits = { fileBytes: 1e6, totalBytes: 1e6, files: 100 };
    for (const change of [{ fileBytes: 100 }, { totalBytes: 100 }, { files: 3 }]) {
      expect(() => importRuns(store, path, { ...limits, ...change })).toThrow("It was not unpacked.");
      expect(() => importRuns(store, source.dir, { ...limits, ...change })).toThrow("the most are");
    }
    importRuns(store, path, limits);
  });

  test("packed with a link, or with a name twice, is not unpacked", () => {
    const dir = temporaryDir();
    symlinkSync("/etc", join(dir, "runs"));
    writeFileSync(join(dir, "cool.db"), "");
    execFileSync("tar", ["-czf", join(dir, "link.tgz"), "-C", dir, "cool.db", "runs"]);
    expect(refusal(join(dir, "link.tgz"))).toContain('holds "runs", which is a link or a device');
    execFileSync("tar", ["-czf", join(dir, "twice.tgz"), "-C", dir, "cool.db", "cool.db"]);
    expect(refusal(join(dir, "twice.tgz"))).toMatch(/holds "cool.db", (twice|which is a link)/);
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

describe("a group of runs", () => {
  function grouped() {
    const store = openStore(temporaryDir());
    const group = store.createGroup({ kind: "folds", project: "door", name: "cv", planned: 2 });
    const ids = ["cv-1", "cv-2"].map((name) => finishedRun(store, name));
    for (const [i, id] of ids.entries()) store.addToGroup(group.id, id, i + 1);
    const row = { split: "test", gates: "truth", task_path: "door", metric_name: "loss", num_samples: 7 } as const;
    store.endGroup(group.id, [{ ...row, runs: 2, mean: 0.1, deviation: 0.01, metric_res: 0.09, baseline: 0.2 }]);
    return { store, ids, id: group.id };
  }

  test("is exported by its name, and imported with what its runs come to", () => {
    const { store, ids, id } = grouped();
    const { path, runs } = exportRun(store, "cv", join(temporaryDir(), "cv.tar.gz"));
    expect(runs.map((run) => run.id)).toEqual(ids);
    const target = openStore(temporaryDir());
    expect(importRuns(target, path).added).toHaveLength(2);
    expect(target.findGroup("cv")).toEqual(store.findGroup("cv"));
    expect(target.readGroupEvaluation(id)).toEqual(store.readGroupEvaluation(id));
    expect(importRuns(target, path).same).toHaveLength(2);
  });

  test("keeps its calibration and the answers of its runs together, and nothing else of its folder", () => {
    const { store, id } = grouped();
    const folder = join(store.dir, "groups", id);
    mkdirSync(join(folder, "predictions"), { recursive: true });
    const kept = ["calibration.json", "predictions/test.parquet", "predictions/valid.parquet"];
    for (const name of [...kept, "else.txt"]) writeFileSync(join(folder, name), name);
    for (const to of ["cv.tar.gz", "cv"]) {
      const { path } = exportRun(store, "cv", join(temporaryDir(), to));
      const target = openStore(temporaryDir());
      importRuns(target, path);
      const copied = join(target.dir, "groups", id);
      expect(kept.map((name) => readFileSync(join(copied, name), "utf8"))).toEqual(kept);
      expect(readdirSync(copied).sort()).toEqual(["calibration.json", "predictions"]);
    }
  });

  test("whose folder holds a link is refused", () => {
    const { store, id } = grouped();
    const folder = join(store.dir, "groups", id);
    mkdirSync(folder, { recursive: true });
    symlinkSync("/etc/hostname", join(folder, "calibration.json"));
    expect(() => exportRun(store, "cv", join(temporaryDir(), "cv"))).toThrow("is no plain file of a store");
  });

  test("comes with single runs, too, and gets another name where its own is taken", () => {
    const { store, ids, id } = grouped();
    const target = openStore(temporaryDir());
    finishedRun(target, "cv");
    for (const run of [...ids].reverse()) {
      importRuns(target, exportRun(store, run, join(temporaryDir(), "one")).path);
    }
    expect(target.findGroup(id)).toMatchObject({
      // "cv-2" is the name of a run
      name: "cv-3",
      runs: ids.map((run, i) => ({ position: i + 1, id: run })),
    });
    expect(target.readGroupEvaluation(id)).toHaveLength(1);
  });

  test("that dnn-cool has not written is refused, with its runs", () => {
    const { store, ids } = grouped();
    const { path } = exportRun(store, "cv", join(temporaryDir(), "cv"));
    const database = new Sqlite(join(path, "cool.db"));
    database.prepare("UPDATE run_groups SET name = ?").run("a\u001b[31m");
    database.close();
    const target = openStore(temporaryDir());
    expect(() => importRuns(target, path)).toThrow();
    expect(target.listRuns()).toEqual([]);
    expect(ids.map((run) => existsSync(join(target.dir, "runs", run)))).toEqual([false, false]);
  });

  test("is removed and brought back as a whole", () => {
    const { store, ids } = grouped();
    expect(removeRuns(store, ["cv"]).map(({ id }) => id)).toEqual(ids);
    expect(restoreRuns(store, ["cv"]).map(({ id }) => id)).toEqual(ids);
    removeRuns(store, ["cv-1"]);
    expect(removeRuns(store, ["cv"]).map(({ id }) => id)).toEqual(ids.slice(1));
    collectGarbage(store, "0d", { now: new Date(Date.now() + 1000) });
    expect(store.findGroup("cv")).toBeNull();
  });
});
