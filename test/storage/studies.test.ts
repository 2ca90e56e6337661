/** @file Studies in the store: trials are shared out one by one, and nothing of them is lost. */
import { expect, test } from "vitest";
import { openDatabase } from "../../src/storage/database/database.js";
import { migrate } from "../../src/storage/database/migrations.js";
import { SCHEMA_VERSIONS } from "../../src/storage/database/schema.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { temporaryDir, thrownBy } from "./support.js";
import { join } from "node:path";

const STUDY = { name: "rates", project: "p", planned: 3, definition: '{"formatVersion":1}' };

test("a trial belongs to one process, and goes on where it was interrupted", () => {
  const store = openRunStore(temporaryDir());
  const id = store.createStudy(STUDY);
  expect(store.findGroup("rates")).toMatchObject({ id, kind: "sweep", planned: 3, runs: [] });
  expect(store.readStudy(id)).toBe('{"formatVersion":1}');
  const first = store.claimTrial(id, (trials) => {
    expect(trials).toEqual([]);
    return { kind: "new", parameters: { "train.batchSize": 16, "train.optimizer.kind": "sgd" } };
  });
  expect(first).toEqual({
    ...{ number: 1, state: "running", objectives: null, epochsDone: 0, attempts: 1, error: null, run: null },
    parameters: { "train.batchSize": 16, "train.optimizer.kind": "sgd" },
  });
  const run = store.createRun({ project: "p", name: "rates-1" });
  store.addToGroup(id, run.id, 1);
  store.endTrial(id, 1, { state: "interrupted", epochsDone: 2 });
  expect(store.readTrials(id)).toMatchObject([{ state: "interrupted", epochsDone: 2, attempts: 0, run: run.id }]);
  const again = store.claimTrial(id, ([trial]) => ({ kind: "again", number: trial?.number ?? 0 }));
  expect(again).toMatchObject({ number: 1, state: "running", attempts: 1 });
  store.endTrial(id, 1, { state: "finished", objectives: [0.5, null], epochsDone: 5 });
  expect(store.claimTrial(id, () => null)).toBeNull();
  expect(store.readTrials(id)).toMatchObject([{ state: "finished", objectives: [0.5, null], epochsDone: 5 }]);
  store.close();
});

test("a trial whose process has ended is interrupted", () => {
  const dir = temporaryDir();
  const store = openRunStore(dir);
  const id = store.createStudy(STUDY);
  store.claimTrial(id, () => ({ kind: "new", parameters: {} }));
  const database = openDatabase(join(dir, "cool.db"));
  // no process has this number: Linux counts to 4,194,304 at most
  database.write(() => database.run("UPDATE trials SET pid = 99999999"));
  database.close();
  expect(store.readTrials(id)).toMatchObject([{ state: "interrupted", attempts: 1 }]);
  store.close();
});

test("a curve of all trials comes at once, by trial and epoch, without what is undefined", () => {
  const store = openRunStore(temporaryDir());
  const id = store.createStudy(STUDY);
  const point = { split: "valid", taskPath: "_total", metricName: "loss", wallTime: 1 } as const;
  for (const [number, values] of [
    [1, [3, 2, Number.NaN]],
    [2, [5]],
  ] as const) {
    store.claimTrial(id, () => ({ kind: "new", parameters: {} }));
    const run = store.createRun({ project: "p" });
    store.addToGroup(id, run.id, number);
    store.appendMetrics(
      run.id,
      values.map((value, i) => ({ ...point, value, step: 10 * (i + 1), epoch: i + 1 })),
    );
  }
  expect([...store.readStudyCurves(id, point)]).toEqual([
    [
      1,
      [
        { epoch: 1, value: 3 },
        { epoch: 2, value: 2 },
      ],
    ],
    [2, [{ epoch: 1, value: 5 }]],
  ]);
  store.close();
});

test("two studies of one name are refused, and so is the name of a run", () => {
  const store = openRunStore(temporaryDir());
  store.createStudy(STUDY);
  expect(thrownBy(() => store.createStudy(STUDY)).message).toBe(
    "There is a study named rates. Go on with it (cool sweep --resume rates), or choose another --name.",
  );
  store.createRun({ project: "p", name: "base" });
  expect(thrownBy(() => store.createStudy({ ...STUDY, name: "base" })).message).toBe(
    "A run is named base. Choose another --name for the study.",
  );
  store.close();
});

test("a study with more trials has not ended", () => {
  const store = openRunStore(temporaryDir());
  const id = store.createStudy(STUDY);
  expect(store.endGroup(id, []).endedAt).not.toBeNull();
  store.planTrials(id, 9);
  expect(store.findGroup(id)).toMatchObject({ planned: 9, endedAt: null });
  store.close();
});

test("a run that is copied brings its study and its trial along", () => {
  const [from, to] = [openRunStore(temporaryDir()), openRunStore(temporaryDir())];
  const id = from.createStudy(STUDY);
  from.claimTrial(id, () => ({ kind: "new", parameters: { "train.batchSize": 16 } }));
  const run = from.createRun({ project: "p" });
  from.addToGroup(id, run.id, 1);
  from.endTrial(id, 1, { state: "pruned", objectives: [2] });
  from.finishRun(run.id, "pruned");
  expect(to.copyRunFrom(from, run.id)).toBe("copied");
  expect(to.readTrials(id)).toEqual(from.readTrials(id));
  expect(to.readStudy(id)).toBe(from.readStudy(id));
  expect(to.queryRuns({ where: "state = pruned" }).map((one) => one.run.id)).toEqual([run.id]);
  from.close();
  to.close();
});

test("a store of version 10 keeps its runs, with what refers to them, and takes pruned ones", () => {
  const dir = temporaryDir();
  const database = openDatabase(join(dir, "cool.db"));
  migrate(database, SCHEMA_VERSIONS.slice(0, 10));
  database.exec(`
    INSERT INTO runs (seq, id, name, project, state, heartbeat_at, pid, host, created_at, started_at, node_version,
      package_version, starred, best_epoch, session_at, earlier_s, monitored)
    VALUES (7, '20261101-000000-abcd', 'old', 'p', 'finished', '2026', 1, 'h', '2026', '2026', '20', '0.1.0', 1, 3, '2027', 2.5, 0.25);
    INSERT INTO run_config (run_id, key, type, value) VALUES ('20261101-000000-abcd', 'train.epochs', 'number', '3');`);
  database.close();
  const store = openRunStore(dir);
  const run = store.findRun("old");
  expect(run).toMatchObject({ starred: true, bestEpoch: 3, sessionAt: "2027", earlierS: 2.5 });
  expect(store.readConfig(run.id)).toEqual({ "train.epochs": 3 });
  expect(store.queryRuns({ where: "monitored = 0.25" })).toHaveLength(1);
  expect(store.finishRun(run.id, "pruned").state).toBe("pruned");
  store.trashRun(run.id);
  store.deleteRun(run.id);
  const emptied = openDatabase(join(dir, "cool.db"), { readonly: true });
  expect(emptied.all("SELECT * FROM run_config")).toEqual([]);
  emptied.close();
  store.close();
});
