/** @file What becomes of a step whose replica fails, ends or is killed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network } from "../../../src/engine/model/network.js";
import { ReplicaGroup, type ReplicaOptions } from "../../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../../src/engine/replicas/steps.js";
import { ConfigError, ReplicaError } from "../../../src/errors.js";
import { entryModule } from "../../../src/platform/entry-point.js";
import { loadProject } from "../../../src/project/load-project.js";
import { ADAMW, batchOf, graph, INPUTS, makeData, richTrunk } from "../../support/small-project.js";

const LABEL = 12_345;
const data = makeData(8);
const groups: ReplicaGroup[] = [];
const folder = mkdtempSync(join(tmpdir(), "cool-replicas-"));
const preparation = {
  module: entryModule("project/replica-preparation"),
  argument: join(folder, "cool.config.ts"),
};

// every replica loads the program again, which takes seconds on a busy machine
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  await openBackend("cpu");
});
afterEach(async () => {
  await Promise.all(groups.splice(0).map((group) => group.close()));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function open(network: Network, options: Partial<ReplicaOptions> = {}): Promise<ReplicaGroup> {
  const group = await ReplicaGroup.open(network, { replicas: 2, transport: "threads", backend: "cpu", ...options });
  groups.push(group);
  return group;
}

/** Processes that this one has started and that live. */
function children(): number[] {
  const listed = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], { encoding: "utf8" });
  return listed.split("\n").flatMap((line) => (line.includes("process-entry") ? [Number.parseInt(line, 10)] : []));
}

/** A project with a custom task whose loss does as it is told in a thread or process that is a replica's. */
async function customTask(
  inReplica: string,
): Promise<{ readonly network: Network; readonly step: () => Promise<unknown> }> {
  writeFileSync(
    preparation.argument,
    `import { isMainThread } from "node:worker_threads";
import { defineProject, defineTask, defineTasks, numeric } from "dnn-cool";
const here = process.pid === ${process.pid} && (isMainThread || globalThis.replicaTestHome);
const size = defineTask({
  name: "size",
  width: 1,
  parse: (cell) => Number(cell),
  // ${LABEL} is not what a definition is tried out with
  loss: ([z], y) => { if (!here && y === ${LABEL}) { ${inReplica} } return (z - y) ** 2; },
  gradient: ([z], y) => [2 * (z - y)],
  activation: ([z]) => [z],
  decoder: { parameters: [], decode: ([z]) => z },
  metrics: {},
});
const tasks = defineTasks({ features: ["features"], tasks: { size: size() } })
  .flow("all", (flow, x, out) => { out.add(flow.size(x.features)); });
export default defineProject({
  name: "own", tasks, flow: "all",
  data: { table: "none.csv", inputs: { x: numeric({ columns: ["a", "b"] }) } },
  trunk: ({ x }, layers) => ({ features: layers.dense({ units: 3 }).apply(x) }),
});
`,
  );
  // a vitest file may itself run in a thread
  (globalThis as { replicaTestHome?: boolean }).replicaTestHome = true;
  const project = await loadProject(folder);
  const network = Network.build(project.graph, project.inputs, project.trunk, 1);
  const group = await open(network, { preparation });
  const engine = new ReplicaSteps(network, { optimizer: ADAMW, clipNorm: null }, group);
  const step = () =>
    engine.step({
      inputs: { x: Float32Array.of(1, 2, 3, 4) },
      targets: {
        rows: 2,
        labels: [{ answers: Float32Array.of(1, LABEL), unitScale: null }],
        masks: [Uint8Array.of(1, 1)],
      },
      factors: [1],
      learningRate: 0.1,
      seed: "s",
    });
  return { network, step };
}

describe("custom tasks", () => {
  test("have their functions in every replica, from the project's configuration", async () => {
    const { step } = await customTask("");
    expect(await step()).toMatchObject({ applied: true });
  });

  test("whose functions throw there end the step with the error that they end it with here", async () => {
    const { step } = await customTask("throw new Error('no such size')");
    await expect(step()).rejects.toThrow(ConfigError);
    await expect(step()).rejects.toThrow('The task type "size": loss throws "no such size"');
  });

  test("that are not in a configuration are refused", async () => {
    const { network } = await customTask("");
    await expect(open(network)).rejects.toThrow(
      'The functions of the custom task "size" cannot be had in a replica: they are not in the project\'s configuration',
    );
  });
});

describe("a thread", () => {
  test("that ends by itself ends the step, and every one after it", async () => {
    const { step } = await customTask("process.exit(7)");
    await expect(step()).rejects.toThrow(ReplicaError);
    await expect(step()).rejects.toThrow(
      /^Replica [12] of 2 \(a thread\) has ended with exit code 7\. The last checkpoint is kept\./,
    );
  });
});

describe("a process", () => {
  test("that is killed in the middle of a step ends it, and no other is left behind", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const group = await open(network, { transport: "processes" });
    const engine = new ReplicaSteps(network, { optimizer: ADAMW, clipNorm: null }, group);
    const [victim] = children();
    expect(children()).toHaveLength(2);
    const steps = (async () => {
      for (let i = 0; ; i++) {
        await engine.step({ ...batchOf(network, data), factors: [1, 1, 1, 1, 1], learningRate: 0, seed: `${i}` });
      }
    })();
    setTimeout(() => process.kill(victim as number, "SIGKILL"), 100);
    await expect(steps).rejects.toThrow(/^Replica [12] of 2 \(a process\) has ended by signal SIGKILL\./);
    await group.close();
    expect(children()).toEqual([]);
  });
});

test("a network whose layers are not in the replica cannot be opened, and leaves nothing behind", async () => {
  const network = Network.build(graph, INPUTS, richTrunk, 3);
  const broken = { ...network.graph, tasks: [] };
  Object.defineProperty(network, "graph", { value: broken });
  await expect(open(network, { transport: "processes" })).rejects.toThrow();
  expect(children()).toEqual([]);
});
