/** @file Listeners that a project names in `log.loggers`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadProject } from "../../src/project/load-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

const SLOW = { timeout: 60_000 };

let project: TinyProject;
beforeEach(async () => {
  project = await tinyProject();
});
afterEach(() => project.remove());

/** Adds settings to the configuration, and code before it. */
function configure(code: string, log: string): void {
  project.editConfig(["const tasks =", `${code}\nconst tasks =`], ["  train: {", `  log: { ${log} },\n  train: {`]);
}

test(
  "a project's own logger hears every epoch, every value and the end of a run, which is told where it lies",
  SLOW,
  async () => {
    configure(
      `import { appendFileSync } from "node:fs";
    import { join } from "node:path";
    const jsonLines = (run) => {
      const write = (event) => appendFileSync(join(run.dir, "events.jsonl"), JSON.stringify(event) + "\\n");
      write({ run: run.name, step: run.step, batchSize: run.config["train.batchSize"] });
      return {
        points: (points) => write({ points: points.filter((point) => point.taskPath !== "_system").length }),
        epoch: ({ epoch, trainLoss, rows }) => write({ epoch, trainLoss, rows: rows.length }),
        evaluation: ({ epoch, rows }) => write({ evaluated: epoch, rows: rows.length }),
        ended: (end) => write({ end }),
      };
    };`,
      "loggers: [jsonLines]",
    );
    const { run, evaluation } = await trainRun(await loadProject(project.dir), { epochs: 2, name: "told" });
    const events = readFileSync(join(run.dir, "events.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      // of the machine's load
      .filter((event) => event.points !== 0);
    const [start, points1, epoch1, points2, epoch2, evaluated, end] = events;
    expect(start).toEqual({ run: "told", step: 0, batchSize: 8 });
    expect(epoch1).toMatchObject({ epoch: 1, trainLoss: expect.any(Number) });
    expect(epoch2).toMatchObject({ epoch: 2 });
    const tasks = new Set(evaluation.map(({ task_path }) => task_path).filter((path) => path !== "_total")).size;
    // the metrics of the tasks, their active rows, and the totals: two losses, learning rate, speed and norm
    expect([points1.points, points2.points]).toEqual([epoch1.rows + tasks + 5, epoch2.rows + tasks + 5]);
    expect(evaluated).toEqual({ evaluated: run.best_epoch, rows: evaluation.length });
    expect(end).toEqual({ end: "finished" });
    expect(events).toHaveLength(7);
  },
);

test("one that fails is left out with a warning, and the run ends well", SLOW, async () => {
  configure(
    "",
    'loggers: [() => { throw new Error("no network"); }, () => ({ epoch() { throw new Error("no room"); } })]',
  );
  const warnings: string[] = [];
  const loggers = [{ warning: (line: string) => void warnings.push(line) }];
  const { run } = await trainRun(await loadProject(project.dir), { epochs: 2, loggers });
  expect(run.state).toBe("finished");
  expect(warnings.filter((line) => line.startsWith("Logging goes on"))).toEqual([
    "Logging goes on without one of its targets: no network",
    "Logging goes on without one of its targets: no room",
  ]);
});

test("what is no function is refused when the project is loaded", async () => {
  configure("", 'loggers: ["wandb"]');
  await expect(loadProject(project.dir)).rejects.toThrow("log.loggers is a list of functions (run) => logger");
});
