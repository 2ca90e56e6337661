/** @file W&B's offline folders, as wandb 0.30 has written them → runs. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DataError } from "../../src/errors.js";
import { curvesOf, fixture, importAll, imported, leftOf } from "./support.js";

function fileOf(source: string, name: string): string {
  const folder = readdirSync(join(source, "wandb")).find((one) => one.endsWith(name)) ?? "";
  return join(source, "wandb", folder, `run-${name}.wandb`);
}

test("history, settings, tags, summary, states, pictures and distributions are taken", () => {
  const { store, result } = imported(fixture("wandb"), { artifacts: true });
  expect(store.findRun("first")).toMatchObject({
    ...{ project: "digits", state: "finished", note: "a note", tags: ["good", "group=g"] },
  });
  expect(store.findRun("failed")).toMatchObject({ state: "failed", error: "The process ended with exit code 3." });
  const run = store.findRun("first");
  expect(store.readConfig(run.id)).toEqual({ lr: 0.1, layers: [64, 32], "opt.name": "adam" });
  expect(run.epochsDone).toBe(2);
  const values = Object.fromEntries(
    Object.entries(curvesOf(store, "first")).map(([curve, points]) => [
      curve,
      points.map(([step, value]) => [step, value]),
    ]),
  );
  expect(values).toMatchObject({
    "train/_total/loss": [0, 1, 2].map((step) => [step, 1 / (step + 1)]),
    "valid/_total/acc": [0, 1, 2].map((step) => [step, step === 2 ? Number.NaN : 0.5]),
    "train/_total/door.f1": [0, 1, 2].map((step) => [step, 0.25 * step]),
    // set in the summary alone
    "train/_total/best": [[4, 0.9]],
  });
  expect(result.added.find(({ name }) => name === "first")).toMatchObject({ images: 1, histograms: 1 });
  expect(leftOf(result, "first")).toEqual(["3 texts: in the history, where the store has numbers"]);
  expect(readdirSync(join(store.runDir(run.id), "artifacts")).sort()).toEqual(["media", "notes.txt"]);
});

test("a file that is cut anywhere gives its whole records, and counts as crashed", () => {
  const source = fixture("wandb");
  const file = fileOf(source, "first");
  const whole = readFileSync(file);
  expect(imported(file).store.findRun("first").displayState).toBe("finished");
  // how it ended is told last
  for (const bytes of [whole.length - 1, Math.floor(whole.length / 2), 600]) {
    truncateSync(file, bytes);
    expect(imported(file).store.findRun("first").displayState).toBe("crashed");
  }
});

test("a record that is damaged ends the reading, and is named; a file of others is refused", () => {
  const source = fixture("wandb");
  const file = fileOf(source, "first");
  const bytes = readFileSync(file);
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
  expect(leftOf(imported(file).result, "first")).toContainEqual(expect.stringMatching(/^1 rest of the run's file: /));
  writeFileSync(file, "hello");
  const { result } = imported(source);
  expect(result.refused).toMatchObject([{ reason: expect.stringMatching(/no file of a W&B run/) }]);
  expect(result.added).toHaveLength(1);
});

test("what lies elsewhere is not read as a picture of the run", () => {
  expect(() => importAll("unused", fixture("csv"), { from: "wandb" })).toThrow(/holds no runs of wandb/);
  expect(new DataError("x").exitCode).toBe(1);
});
