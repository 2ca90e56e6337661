/** @file Replicas that run out of memory, whose coordinating process is killed, or that are interrupted with it. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const dist = (file: string) => JSON.stringify(new URL(`../../dist/${file}`, import.meta.url).href);
const COOL = fileURLToPath(new URL("../../bin/run.js", import.meta.url));

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-replicas-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pids: readonly number[]): Promise<readonly number[]> {
  const living = () => pids.filter(isAlive);
  for (let waited = 0; living().length > 0 && waited < 200; waited++) await sleep(50);
  return living();
}

function childrenOf(pid: number): number[] {
  try {
    const listed = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    return listed.trim().split(/\s+/).map(Number);
  } catch {
    // none: ps says so with its exit code
    return [];
  }
}

/** A project whose custom task does as it is told where `inReplica` is true. */
function writeProject(inReplica: string): void {
  writeFileSync(
    join(dir, "cool.config.mjs"),
    `import { isMainThread } from "node:worker_threads";
import { defineProject, defineTask, defineTasks, numeric } from "dnn-cool";
const size = defineTask({
  name: "size",
  width: 1,
  parse: (cell) => Number(cell),
  loss: ([z], y) => { if (!isMainThread && y === 7) { ${inReplica} } return (z - y) ** 2; },
  gradient: ([z], y) => [2 * (z - y)],
  activation: ([z]) => [z],
  decoder: { parameters: [], decode: ([z]) => z },
  metrics: {},
});
const tasks = defineTasks({ features: ["f"], tasks: { size: size() } })
  .flow("all", (flow, x, out) => { out.add(flow.size(x.f)); });
export default defineProject({
  name: "own", tasks, flow: "all",
  data: { table: "rows.csv", inputs: { x: numeric({ columns: ["a", "b"] }) } },
  trunk: ({ x }, layers) => ({ f: layers.dense({ units: 64 }).apply(x) }),
  train: { epochs: 2000, batchSize: 8, checkpointEverySteps: 1 },
});
`,
  );
  const lines = Array.from({ length: 40 }, (_, i) => `${i},${-i},${i}`);
  writeFileSync(join(dir, "rows.csv"), `a,b,size\n${lines.join("\n")}\n`);
}

/** `cool run --replicas 2` in the project. */
function startRun(env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [COOL, "run", dir, "--replicas", "2", "--backend", "cpu", "--json"], {
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  return { child, output, ended };
}

test("a replica out of memory ends the run with one error, and the last checkpoint is kept", async () => {
  writeProject("const all = []; for (;;) all.push(new Array(1e6).fill(all.length + 0.5));");
  const { ended, output } = startRun({ NODE_OPTIONS: "--max-old-space-size=300" });
  expect(await ended).toBe(1);
  const { error, message } = JSON.parse(output.stdout);
  expect(error).toBe("ReplicaError");
  expect(message).toMatch(/^Replica [12] of 2 \(a thread\) has ended .*memory.*go on with fewer --replicas/);
  const [run] = readdirSync(join(dir, ".cool", "runs"));
  expect(existsSync(join(dir, ".cool", "runs", run as string, "config.json"))).toBe(true);
});

test("Ctrl-C stops a run on replicas after the step, with a checkpoint", async () => {
  writeProject("");
  const { child, ended, output } = startRun();
  while (!/epoch +3\//.test(output.stderr) && child.exitCode === null) await sleep(50);
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(JSON.parse(output.stdout)).toMatchObject({ error: "InterruptedError" });
  const [run] = readdirSync(join(dir, ".cool", "runs"));
  expect(existsSync(join(dir, ".cool", "runs", run as string, "checkpoints", "last", "state.json"))).toBe(true);
});

/** Opens replicas in processes and, when they are there, says so and goes on training for ever. */
const TRAINING = `import { openBackend } from ${dist("engine/backends/choose.js")};
import { Network } from ${dist("engine/model/network.js")};
import { ReplicaGroup } from ${dist("engine/replicas/group.js")};
import { ReplicaSteps } from ${dist("engine/replicas/steps.js")};
import { defineTasks } from ${dist("flow/define.js")};
import { traceFlow } from ${dist("flow/trace.js")};
import { binary } from ${dist("tasks/index.js")};
await openBackend("cpu");
const tasks = defineTasks({ features: ["f"], tasks: { yes: binary() } });
const graph = traceFlow(tasks.flow("all", (flow, x, out) => out.add(flow.yes(x.f))), "all");
const inputs = { x: { kind: "numeric", columns: ["a", "b"] } };
const trunk = ({ x }, layers) => ({ f: layers.batchNormalization({}).apply(layers.dense({ units: 4 }).apply(x)) });
const network = Network.build(graph, inputs, trunk, 1);
const group = await ReplicaGroup.open(network, { replicas: 2, transport: "processes", backend: "cpu" });
const optimizer = { kind: "sgd", learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 };
const steps = new ReplicaSteps(network, { optimizer, clipNorm: null }, group);
process.on("SIGINT", async () => {
  stop = true;
});
let stop = false;
process.stdout.write("ready\\n");
while (!stop) {
  await steps.step({
    inputs: { x: Float32Array.of(1, 2, 3, 4) },
    targets: { rows: 2, labels: [{ answers: Float32Array.of(0, 1), unitScale: null }], masks: [Uint8Array.of(1, 1)] },
    factors: [1], learningRate: 0.1, seed: "s",
  });
}
process.stdout.write("stopped\\n");
await group.close();
`;

async function startTraining() {
  writeFileSync(join(dir, "training.mjs"), TRAINING);
  // a process group of its own, as a terminal makes one
  const child = spawn(process.execPath, [join(dir, "training.mjs")], { detached: true });
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  while (!printed.includes("ready") && child.exitCode === null) await sleep(50);
  const pid = child.pid as number;
  return { pid, replicas: childrenOf(pid), ended, printed: () => printed };
}

test("processes go when what started them is killed", async () => {
  const { pid, replicas, ended } = await startTraining();
  expect(replicas).toHaveLength(2);
  process.kill(pid, "SIGKILL");
  await ended;
  expect(await untilGone(replicas)).toEqual([]);
});

test("Ctrl-C, which reaches every process of a terminal, lets the step end and then stops all", async () => {
  const { pid, replicas, ended, printed } = await startTraining();
  process.kill(-pid, "SIGINT");
  expect(await ended).toBe(0);
  expect(printed()).toContain("stopped");
  expect(await untilGone(replicas)).toEqual([]);
});
