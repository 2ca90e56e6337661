/** @file The curves of a finished run, read by the real TensorBoard, against the store. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { coolJson } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { type Python, readTensorBoards, tensorBoardPython } from "../support/tensorboard.js";

const EPOCHS = 3;

let judge: Python;
let project: TinyProject;
beforeAll(async () => {
  [judge, project] = await Promise.all([tensorBoardPython(), tinyProject()]);
});
afterAll(() => project.remove());

it("TensorBoard shows every metric of every task at each epoch as the store has it", async (context) => {
  if ("skip" in judge) return context.skip(judge.skip);
  const { run } = await coolJson<{ run: { id: string; dir: string } }>([
    "run",
    project.dir,
    "--epochs",
    String(EPOCHS),
  ]);
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  const points = store.readMetrics(run.id);
  store.close();
  const splits = ["train", "valid"] as const;
  const folders = await readTensorBoards(
    judge.python,
    splits.map((split) => join(run.dir, split)),
  );
  splits.forEach((split, i) => {
    const expected: Record<string, { step: number; value: number }[]> = {};
    for (const { taskPath, metricName, step, value } of points.filter((point) => point.split === split)) {
      // what the machine did has a folder of its own
      if (value === null || taskPath === "_system") continue;
      const tag = `${taskPath}/${metricName}`;
      // event files hold 32-bit floats
      expected[tag] = [...(expected[tag] ?? []), { step, value: Math.fround(value) }];
    }
    const shown = Object.entries(folders[i]?.scalars ?? {}).map(([tag, curve]) => [
      tag,
      curve.map(({ step, value }) => ({ step, value })),
    ]);
    expect(Object.fromEntries(shown)).toMatchObject(expected);
    expect(expected["blocked/accuracy"]).toHaveLength(EPOCHS);
    expect(expected["square.position.x/mean_absolute_error"]).toHaveLength(EPOCHS);
    expect(expected["square.marks/f1_score"]).toHaveLength(EPOCHS);
    expect(expected["_total/loss"]).toHaveLength(EPOCHS);
  });
});
