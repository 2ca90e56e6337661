/** @file Whole runs on several replicas: the same results, resumed with another number, and ended by a dying replica. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InterruptedError, ReplicaError } from "../../src/errors.js";
import { loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { parseSettings } from "../../src/project/settings.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";

const MINUTES = { timeout: 300_000 };

const PLAIN = `import { binary, boundedRegression, defineProject, defineTasks, numeric } from "dnn-cool";
const size = (options) => boundedRegression({ min: -2, max: 2, ...options });
`;

/** A custom task whose loss ends the thread of a replica as soon as a file is there. */
const OWN = (trigger: string) => `import { existsSync } from "node:fs";
import { binary, defineProject, defineTask, defineTasks, numeric } from "dnn-cool";
const size = defineTask({
  name: "size",
  width: 1,
  parse: (cell) => Number(cell),
  loss([z = 0], y) {
    if (globalThis.isTestOfReplicas !== true && existsSync(${JSON.stringify(trigger)})) process.exit(7);
    return (z - y) ** 2;
  },
  gradient: ([z = 0], y) => [2 * (z - y)],
  activation: ([z = 0]) => [z],
  decoder: { parameters: [], decode: ([z = 0]) => z },
  metrics: {},
});
`;

const REST = `const tasks = defineTasks({ features: ["f"], tasks: { size: size(), right: binary() } }).flow("all", (flow, x, out) => {
  out.add(flow.right(x.f));
  out.add(flow.size(x.f).given(out.right));
});
export default defineProject({
  name: "replicas", tasks, flow: "all",
  data: {
    table: "rows.csv",
    inputs: { at: numeric({ columns: ["x", "y"] }) },
    split: { train: 0.6, valid: 0.2, test: 0.2, seed: 1 },
  },
  trunk: ({ at }, layers) => {
    const hidden = layers.dropout({ rate: 0.2 }).apply(layers.dense({ units: 8, activation: "tanh" }).apply(at));
    return { f: layers.batchNormalization({}).apply(hidden) };
  },
  train: { epochs: 3, batchSize: 8, checkpointEverySteps: 1, optimizer: { kind: "adamw", learningRate: 0.02 } },
});
`;

let dir = "";
const plain = () => join(dir, "plain");
const own = () => join(dir, "own");
const trigger = () => join(dir, "end now");
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "replica-runs-"));
  const lines = Array.from({ length: 70 }, (_, i) => {
    const [x, y] = [Math.sin(i), Math.cos(3 * i)];
    return [x, y, x > 0 ? 1 : 0, x > 0 ? x + y : ""].join(",");
  });
  for (const [folder, task] of [
    [plain(), PLAIN],
    [own(), OWN(trigger())],
  ] as const) {
    mkdirSync(folder);
    writeFileSync(join(folder, "rows.csv"), `x,y,right,size\n${lines.join("\n")}\n`);
    writeFileSync(join(folder, "cool.config.ts"), `${task}${REST}`);
  }
  (globalThis as { isTestOfReplicas?: boolean }).isTestOfReplicas = true;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function run(options: TrainRunOptions, folder = plain()) {
  return trainRun(await loadProject(folder), { store: join(dir, "store"), backend: "cpu", ...options });
}

type Rows = Awaited<ReturnType<typeof run>>["evaluation"];

function expectClose(rows: Rows, expected: Rows): void {
  const facts = ({ metric_res: _, interval, ...row }: Rows[number]) => ({ ...row, hasInterval: interval != null });
  expect(rows.map(facts)).toEqual(expected.map(facts));
  const numbers = ({ metric_res, interval }: Rows[number]) => [metric_res, ...(interval ?? [])];
  rows.forEach((row, i) => {
    const others = numbers(expected[i] ?? row);
    numbers(row).forEach((number, j) => {
      const other = others[j] ?? null;
      if (number === null || other === null) expect(number).toBe(other);
      else expect(Math.abs(number - other)).toBeLessThan(1e-3 * Math.max(1, Math.abs(other)));
    });
  });
}

describe("a run on replicas", () => {
  let one: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    one = await run({ name: "one" });
  }, 300_000);

  test("evaluates to what a run of one does, and says how many there are", MINUTES, async () => {
    const lines: string[] = [];
    const two = await run({ name: "two", replicas: 2, loggers: [{ message: (line) => lines.push(line) }] });
    expectClose(two.evaluation, one.evaluation);
    expect(lines.filter((line) => line.startsWith("replicas:"))).toEqual(["replicas: 2 worker threads, as asked for"]);
  });

  test("goes on with another number of replicas after an interruption", MINUTES, async () => {
    const controller = new AbortController();
    const stop = { step: ({ step }: { readonly step: number }) => step === 7 && controller.abort() };
    const options = { name: "three", replicas: 3, signal: controller.signal, loggers: [stop as never] };
    await expect(run(options)).rejects.toThrow(InterruptedError);
    const resumed = await run({ resume: "three", replicas: 2 });
    expectClose(resumed.evaluation, one.evaluation);
  });

  test("predicts with replicas what it does without", MINUTES, async () => {
    const asked = async (replicas: number) => {
      const loaded = await loadRun(join(dir, "store"), "one", { backend: "cpu", replicas });
      try {
        return await loaded.predict([join(plain(), "rows.csv")]);
      } finally {
        loaded.close();
      }
    };
    expect(await asked(2)).toEqual(await asked(1));
  });

  test("ends with one error where a replica does, and keeps its last checkpoint", MINUTES, async () => {
    const end = { step: ({ step }: { readonly step: number }) => step === 4 && writeFileSync(trigger(), "") };
    const dying = run({ name: "dying", replicas: 2, loggers: [end as never] }, own());
    await expect(dying).rejects.toThrow(ReplicaError);
    rmSync(trigger());
    const store = openRunStore(join(dir, "store"), { readonly: true });
    const { id, displayState, error } = store.findRun("dying");
    expect(displayState).toBe("failed");
    expect(error).toMatch(/^Replica [12] of 2 \(a thread\) has ended with exit code 7\. The last checkpoint is kept\./);
    expect(existsSync(join(store.runDir(id), "checkpoints", "last", "state.json"))).toBe(true);
    store.close();
    expect((await run({ resume: "dying", replicas: 1 }, own())).run.state).toBe("finished");
  });
});

test.each([0, 1.5, "two"])("train.replicas: %s is refused in words", (replicas) => {
  const parse = () => parseSettings({ data: { table: "rows.csv" }, train: { replicas } }, "cool.config.ts");
  expect(parse).toThrow('cool.config.ts: "train.replicas" is wrong: write a whole number from 1, or "auto".');
});
