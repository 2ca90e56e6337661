/** @file Whole runs on a backend: the command line, and runs that change to wasm or come from it. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BackendName } from "../../src/engine/backends/choose.js";
import { InterruptedError } from "../../src/errors.js";
import { loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { trainRun } from "../../src/training/train-run.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { cool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

/** Tests of a backend that is installed. */
export function describeRuns(backend: BackendName): void {
  let project: TinyProject;
  const store = () => join(project.dir, ".cool");
  const train = async (options: Parameters<typeof trainRun>[1], epochs = 1) =>
    trainRun(await loadProject(project.dir, [`train.epochs=${epochs}`]), options);

  beforeAll(async () => {
    project = await tinyProject(40);
  });
  afterAll(() => project.remove());

  test("cool run trains, tunes and evaluates on it, and ends by itself", async () => {
    const args = ["run", project.dir, "--backend", backend, "--epochs", "2", "--name", "cli", "--json"];
    const { code, json, stderr } = await cool(args, { timeoutMs: 100_000 });
    expect(code, stderr).toBe(0);
    const { run, evaluation } = json as { run: { state: string; backend: string }; evaluation: unknown[] };
    expect(run).toMatchObject({ state: "finished", backend });
    expect(evaluation.length).toBeGreaterThan(10);
  });

  describe("a run", () => {
    test.each([
      [backend, "wasm"],
      ["wasm", backend],
    ] as const)("that was trained on %s answers alike on %s", async (from, to) => {
      const { run } = await train({ backend: from, name: `from-${from}` });
      const answer = async (backend: BackendName) => {
        const loaded = await loadRun(store(), run.id, { backend });
        try {
          return await loaded.explain([project.image(2), project.image(7)]);
        } finally {
          loaded.close();
        }
      };
      expect(rounded(await answer(to))).toEqual(rounded(await answer(from)));
    });

    test.each([
      [backend, "wasm"],
      ["wasm", backend],
    ] as const)("that was begun on %s goes on with %s as it would have gone on", async (from, to) => {
      const whole = await train({ backend: from, name: `whole-${from}` }, 2);
      const stop = new AbortController();
      const loggers = [{ step: ({ step }: { readonly step: number }) => void (step === 2 && stop.abort()) }];
      const name = `${from}-then-${to}`;
      await expect(train({ backend: from, name, signal: stop.signal, loggers }, 2)).rejects.toThrow(InterruptedError);
      const { run, evaluation } = await train({ backend: to, resume: name }, 2);
      expect(run).toMatchObject({ name, state: "finished" });
      expect(lossOf(evaluation)).toBeCloseTo(lossOf(whole.evaluation), 3);
    });
  });
}

function lossOf(evaluation: readonly EvaluationRow[]): number {
  return evaluation.find(({ task_path, split }) => task_path === "_total" && split === "train")?.metric_res as number;
}

/** Numbers as far as single precision reaches through a network. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, part) =>
    typeof part === "number" ? Math.round(part * 1e3) / 1e3 : part,
  );
}
