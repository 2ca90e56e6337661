/** @file What a run would refuse or warn of before its first step, or only after its last, is found when it is checked. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { checkProject } from "../../src/project/check-project.js";
import { loadProject } from "../../src/project/load-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { monitorDoubt } from "../../src/training/epochs/watched-metric.js";
import { measureNetwork } from "../../src/training/measure-network.js";
import { trainRun } from "../../src/training/train-run.js";
import { NUMBERS, numberConfig, writeNumberProject } from "../support/number-project.js";

const dir = mkdtempSync(join(tmpdir(), "before-a-run-"));
beforeEach(() => writeNumberProject(dir));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a metric by which no threshold can be tuned, which a run would only meet after its training", async () => {
  await expect(loadProject(dir, ["tune.metric=f1_scor"])).rejects.toThrow(
    'No metric named "f1_scor" in tune.metric. Did you mean "f1_score"?',
  );
  await expect(loadProject(dir, ["tune.metric=roc_auc"])).rejects.toThrow('No metric named "roc_auc" in tune.metric');
  expect((await loadProject(dir, ["tune.metric=accuracy"])).settings.tune.metric).toBe("accuracy");
});

test("more replicas than rows in a batch, before a run exists", async () => {
  await expect(loadProject(dir, ["train.replicas=17"])).rejects.toThrow("Take at most 16 replicas");
  const project = await loadProject(dir);
  await expect(trainRun(project, { replicas: 17, backend: "cpu" })).rejects.toThrow("Take at most 16 replicas");
  const store = openRunStore(join(dir, ".cool"), { readonly: true });
  expect(store.listRuns()).toEqual([]);
  store.close();
});

test("a project's name that no run can have", async () => {
  const named = async (name: string) => {
    writeFileSync(join(dir, "cool.config.ts"), numberConfig().replace('name: "numbers"', `name: ${name}`));
    return loadProject(dir).catch((error: Error) => error.message);
  };
  const file = join(dir, "cool.config.ts");
  expect(await named('""')).toBe(`${file}: A name of a project must not be empty.`);
  expect(await named('" "')).toContain("must not be empty");
  expect(await named("3 as never")).toBe(`${file}: the name of the project is no text.`);
  expect(await named('"a\\u001b[2J"')).toContain("has a control character or line break (U+001B)");
  expect(await named('"Häuser 2"')).toMatchObject({ name: "Häuser 2" });
});

test("what data.prepare and the trunk throw, which need not be an error, with its line", async () => {
  const file = join(dir, "cool.config.ts");
  const checked = async (options: Parameters<typeof writeNumberProject>[1]) => {
    writeNumberProject(dir, options);
    const project = await loadProject(dir);
    const { inputs } = await checkProject(project);
    return measureNetwork(project, inputs);
  };
  await expect(checked({ data: 'prepare: () => { throw new Error("no\\nnetwork"); }' })).rejects.toThrow(
    `${file}, line 11: data.prepare fails: no network.`,
  );
  await expect(checked({ data: 'prepare: () => Promise.reject("later")' })).rejects.toThrow(
    `${file}: data.prepare fails: later.`,
  );
  await expect(checked({ units: '(() => { throw "a text"; })()' })).rejects.toThrow("The trunk function fails: a text");
});

test("an input that no function has made", async () => {
  const file = join(dir, "cool.config.ts");
  const given = 'at: numeric({ columns: ["x", "y"] })';
  for (const wrong of ['at: "x"', 'at: { column: "x" }', "at: numeric"]) {
    writeFileSync(file, numberConfig().replace(given, wrong));
    await expect(loadProject(dir)).rejects.toThrow(`${file}: data.inputs.at is no input. Write e.g. at: numeric(`);
  }
});

test("the name of a run, before its data is read", async () => {
  const project = await loadProject(dir, ["data.table=not-there.csv"]);
  await expect(trainRun(project, { name: "a\u001b", backend: "cpu" })).rejects.toThrow("control character");
  await expect(trainRun(project, { name: "a", backend: "cpu" })).rejects.toThrow("There is no table");
});

test("weights to begin with that are not there, and layers that they do not fit", async () => {
  const measured = async (assignment: string, store?: ReturnType<typeof openRunStore>) => {
    const project = await loadProject(dir, [assignment]);
    const { inputs } = await checkProject(project);
    return measureNetwork(project, inputs, store);
  };
  await expect(measured("train.from=nothing.json")).rejects.toThrow("nothing.json cannot be read: it is not there");
  const store = openRunStore(join(dir, ".cool"));
  await expect(measured('train.from={"run":"bse"}', store)).rejects.toThrow('No run named "bse"');
  const { run } = await trainRun(await loadProject(dir), { backend: "cpu", name: "base" });
  const {
    parts: [trunk],
  } = await measured(`train.from={"run":"${run.id}"}`, store);
  // 2 × 4 + 4
  expect(trunk).toEqual({ part: "trunk", parameters: 12 });
  store.close();
  expect(existsSync(join(dir, ".cool", "runs", run.id))).toBe(true);
});

test("a monitor that the labels of valid do not define", async () => {
  const doubt = async (...assignments: readonly string[]) => {
    const project = await loadProject(dir, assignments);
    const { dataset } = await checkProject(project);
    return monitorDoubt({ project, settings: project.settings, dataset });
  };
  expect(await doubt("train.monitor=right/roc_auc")).toBeNull();
  writeFileSync(join(dir, "labels.csv"), NUMBERS.replaceAll(/,[01],valid/g, ",1,valid"));
  expect(await doubt("train.monitor=right/roc_auc")).toMatch(
    /^train\.monitor "right\/roc_auc" is undefined, since the labels of its 8 valid rows/,
  );
  expect(await doubt()).toBeNull();
  writeFileSync(join(dir, "labels.csv"), NUMBERS.replaceAll(",valid", ",train"));
  expect(await doubt('train.earlyStopping={"patience":2}')).toContain("there are no valid rows");
  // nobody asked for anything that needs one
  expect(await doubt()).toBeNull();
});
