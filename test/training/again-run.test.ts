/** @file A run is repeated exactly, or it is said why it cannot be. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.js";
import { loadProject } from "../../src/project/load-project.js";
import type { RunResult } from "../../src/training/run-result.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { writeFiles } from "../support/folders.js";

const SLOW = { timeout: 120_000 };

let project: TinyProject;
let first: RunResult;
beforeAll(async () => {
  project = await tinyProject();
  const loaded = await loadProject(project.dir, ["train.batchSize=12"]);
  // within the project: runs are no source
  const store = join(project.dir, "store");
  first = await trainRun(loaded, { store, name: "first", seed: 11, epochs: 2, commandLine: "cool run" });
}, 120_000);
afterAll(() => project.remove());

async function again(options: TrainRunOptions = {}): Promise<RunResult> {
  return trainRun(await loadProject(project.dir), { store: join(project.dir, "store"), again: "first", ...options });
}

const weights = ({ run }: RunResult) => readFileSync(join(run.dir, "checkpoints", "last", "weights.bin"));

test("with its own settings and its seed a repeated run ends with the same weights", SLOW, async () => {
  const second = await again({ name: "second", commandLine: "cool run --again first" });
  expect(second.run).toMatchObject({ name: "second", state: "finished", seed: 11, epochs: 2 });
  expect(second.run.id).not.toBe(first.run.id);
  expect(weights(second).equals(weights(first))).toBe(true);
  expect(second.thresholds).toEqual(first.thresholds);
  expect(second.evaluation).toEqual(first.evaluation);
  const store = openRunStore(join(project.dir, "store"), { readonly: true });
  expect(store.readConfig(second.run.id)).toEqual(store.readConfig(first.run.id));
  expect(store.readConfigChanges(second.run.id)).toEqual(store.readConfigChanges(first.run.id));
  expect(store.getRun(second.run.id).commandLine).toBe("cool run --again first");
  store.close();
});

test("with another seed it has other weights, and all else alike", SLOW, async () => {
  const other = await again({ seed: 12 });
  expect(other.run).toMatchObject({ seed: 12, epochs: 2 });
  expect(weights(other).equals(weights(first))).toBe(false);
});

test("a changed source or table is an error that names what differs, and with force a warning", SLOW, async () => {
  const helper = join(project.dir, "helper.ts");
  const warnings: string[] = [];
  const loggers = [{ warning: (text: string) => warnings.push(text) }];
  // the source is compared before the table is read
  const problem = `Run ${first.run.id} (first) cannot be repeated exactly: cool.config.ts has changed; helper.ts is new`;
  writeFiles(project.dir, { "helper.ts": "export const one = 1;\n" });
  project.editConfig(["units: 16", "units: 12"]);
  project.editTable((lines) => lines.slice(0, -1));
  const error = await again().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({
    message: `${problem}. Restore what it was made from (cool runs show ${first.run.id} names its commit), or take what there is now with --force.`,
    facts: { run: first.run.id, changes: expect.arrayContaining(["helper.ts is new"]) },
  });
  const store = openRunStore(join(project.dir, "store"));
  const before = store.listRuns().length;
  const forced = await again({ force: true, loggers });
  expect(forced.run.state).toBe("finished");
  expect(warnings).toContain(
    `${problem}; the table or its images have changed. It is repeated with what there is now.`,
  );
  expect(store.listRuns()).toHaveLength(before + 1);
  store.close();
  writeFileSync(helper, "");
});
