/** @file Keys in the store: one run, or one group of folds, of each key and project. */
import { expect, test } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { temporaryDir, thrownBy } from "./support.js";

test("a key is one run's in its project, from the moment when the run is stored", () => {
  const store = openRunStore(temporaryDir());
  const run = store.createRun({ project: "p", key: "nightly" });
  expect(store.keyedRun("p", "nightly")?.id).toBe(run.id);
  expect(store.keyedRun("q", "nightly")).toBeNull();
  expect(thrownBy(() => store.createRun({ project: "p", key: "nightly" })).message).toBe(
    `The key "nightly" has been taken meanwhile: another process has begun run ${run.id} with it. Start again to go on with that one when it has ended.`,
  );
  expect(store.listRuns()).toHaveLength(1);
  expect(store.createRun({ project: "q", key: "nightly" }).project).toBe("q");
  store.close();
});

test("a group has a key as a run has", () => {
  const store = openRunStore(temporaryDir());
  const group = store.createGroup({ kind: "folds", project: "p", name: "cv", planned: 3, key: "cv" });
  expect(store.keyedGroup("p", "cv")).toEqual(group);
  expect(thrownBy(() => store.keyedRun("p", "cv")).message).toBe(
    'The key "cv" is that of a group of folds. Start it with --folds, or choose another key.',
  );
  store.createRun({ project: "p", key: "one" });
  expect(thrownBy(() => store.keyedGroup("p", "one")).message).toBe(
    'The key "one" is that of one run. Leave --folds out, or choose another key.',
  );
  store.removeGroup(group.id);
  expect(store.keyedGroup("p", "cv")).toBeNull();
  store.close();
});

test("a run in the trash has given its key up, and its deletion leaves the key to the next one", () => {
  const store = openRunStore(temporaryDir());
  const first = store.createRun({ project: "p", key: "k" });
  store.finishRun(first.id, "finished");
  store.trashRun(first.id);
  expect(store.keyedRun("p", "k")).toBeNull();
  const second = store.createRun({ project: "p", key: "k" });
  store.restoreRun(first.id);
  store.trashRun(first.id);
  store.deleteRun(first.id);
  expect(store.keyedRun("p", "k")?.id).toBe(second.id);
  store.close();
});
