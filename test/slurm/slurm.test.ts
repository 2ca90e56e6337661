/** @file Jobs on a real Slurm: arrays, time limits, requeues, and a node that is lost. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Launched } from "../../src/clusters/launch.js";
import type { RunRecord } from "../../src/storage/run-record.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import type { StudyDocument } from "../../src/sweeping/study/study-document.js";
import { cool, coolJson } from "../support/cli.js";
import { missingProgram, needs } from "../support/needs.js";
import { writeNumberProject } from "../support/number-project.js";

const script = fileURLToPath(new URL("../support/slurm-cluster.sh", import.meta.url));
const NODES = ["node1", "node2"] as const;

function missing(): string | null {
  if (process.getuid?.() !== 0) return "a Slurm of its own needs root";
  for (const [name, option] of [
    ["slurmctld", "-V"],
    ["slurmd", "-V"],
    ["munged", "--version"],
  ] as const) {
    const reason = missingProgram(name, [option]);
    if (reason !== null) return `${reason} (Debian: slurm-wlm, munge)`;
  }
  const namespace = spawnSync("ip", ["netns", "add", "cool-try"], { encoding: "utf8" });
  if (namespace.status !== 0) return `no network namespace can be made: ${namespace.stderr?.trim() ?? "no ip"}`;
  spawnSync("ip", ["netns", "del", "cool-try"]);
  return null;
}

const reason = missing();
needs(reason);

// an epoch takes its time, without computing, where it is a job's
const SLOW_EPOCHS = `const pause = () => {
  if (process.env.SLURM_JOB_ID !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
};`;
const EPOCHS = 100;

let dir = "";
let cluster = "";
let project = "";
let store: RunStore;
let whole: Buffer;
const confBefore = process.env.SLURM_CONF;

beforeAll(async () => {
  if (reason !== null) return;
  dir = mkdtempSync(join(tmpdir(), "cool-slurm-"));
  [cluster, project] = [join(dir, "cluster"), join(dir, `it's "my" project`)];
  execFileSync(script, ["start", cluster], { stdio: "inherit" });
  process.env.SLURM_CONF = join(cluster, "slurm.conf");
  writeNumberProject(project, { head: SLOW_EPOCHS, more: "log: { loggers: [() => ({ epoch: pause })] }," });
  const { run } = await coolJson<{ run: { readonly dir: string } }>([...command("whole")], { timeoutMs: 120_000 });
  whole = weightsIn(run.dir);
  store = openRunStore(join(project, ".cool"), { readonly: true });
}, 240_000);

afterAll(() => {
  if (reason !== null) return;
  store?.close();
  execFileSync(script, ["stop", cluster], { stdio: "inherit" });
  if (confBefore === undefined) delete process.env.SLURM_CONF;
  else process.env.SLURM_CONF = confBefore;
  rmSync(dir, { recursive: true, force: true });
});

const command = (name: string) => ["run", project, "--backend", "cpu", "--epochs", String(EPOCHS), "--name", name];
const weightsIn = (runDir: string) => readFileSync(join(runDir, "checkpoints", "last", "weights.bin"));
const slurm = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: "utf8" });

/** A field of `scontrol show job`. */
function field(job: string, name: string): string {
  return new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(slurm("scontrol", "show", "job", "-o", job))?.[1] ?? "";
}

async function submitted(name: string, ...more: string[]): Promise<string> {
  const { job } = await coolJson<Launched>([...command(name), "--on", "slurm", ...more]);
  return job ?? "";
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 0.5) {
    if (waited > 200) throw new Error(`${what} has not come: ${slurm("squeue")}${slurm("sinfo")}`);
    await sleep(500);
  }
}

const runOf = (key: string): RunRecord | null => store.keyedRun("numbers", key);
const trains = (key: string, epochs = 1) => until(`${key} trains`, () => (runOf(key)?.epochsDone ?? 0) >= epochs);
const completed = (job: string) => until(`the end of ${job}`, () => field(job, "JobState") === "COMPLETED");

/** One run of the key, whose weights are those of a run that nothing stopped. */
function expectWhole(key: string): RunRecord {
  const run = runOf(key);
  if (run === null) throw new Error(`${key} has no run`);
  expect(run).toMatchObject({ name: key, state: "finished", epochsDone: EPOCHS });
  expect(store.listRuns().filter(({ name }) => name.startsWith(key))).toHaveLength(1);
  expect(weightsIn(store.runDir(run.id)).equals(whole)).toBe(true);
  return run;
}

test("time limits, requeues and arrays: every run ends as one that nothing stopped", { timeout: 240_000 }, async () => {
  const limited = await submitted("limited", "--time", "1m");
  const requeued = await submitted("requeued");
  const sweep = ["sweep", project, "--set", "train.batchSize=4,8,16", "--set", "train.epochs=5", "--backend", "cpu"];
  const array = await coolJson<Launched>([...sweep, "--name", "sizes", "--on", "slurm", "--parallel", "2"]);
  expect(array).toMatchObject({ on: "slurm", name: "sizes", tasks: 2 });
  await trains("requeued", 3);
  slurm("scontrol", "requeue", requeued);
  await until("the requeue", () => field(requeued, "Restarts") === "1");
  await Promise.all([completed(requeued), completed(limited)]);
  expect(expectWhole("requeued").earlierS).toBeGreaterThan(0);
  // the limit was shorter than the run: it has asked to be started again
  expect(expectWhole("limited").earlierS).toBeGreaterThan(0);
  expect(Number(field(limited, "Restarts"))).toBeGreaterThan(0);
  const tasks = slurm("squeue", "--noheader", "--array", "--job", array.job ?? "", "--states", "all", "--format", "%T");
  expect(tasks.trim().split(/\s+/)).toEqual(["COMPLETED", "COMPLETED"]);
  const { study, trials } = await coolJson<StudyDocument>(["sweep", "show", "sizes", "--project", project]);
  expect(study).toMatchObject({ name: "sizes", trials: { finished: 3 } });
  expect(trials.map(({ number, run }) => [number, store.getRun(run ?? "").name])).toEqual(
    [1, 2, 3].map((number) => [number, `sizes-${number}`]),
  );
});

test("a node that is lost: its runs go on elsewhere, or end behind the partition, once each", {
  timeout: 240_000,
}, async () => {
  const [lost, other] = NODES;
  slurm("scontrol", "update", `NodeName=${other}`, "State=DRAIN", "Reason=test");
  const [dead, cut] = [await submitted("dead"), await submitted("cut")];
  await Promise.all([trains("dead", 5), trains("cut", 5)]);
  expect([field(dead, "NodeList"), field(cut, "NodeList")]).toEqual([lost, lost]);
  const begun = [runOf("dead")?.id, runOf("cut")?.id];
  execFileSync("ip", ["-n", `cool-${lost}`, "link", "set", "eth0", "down"]);
  // one process dies with its node, the other goes on behind the partition
  process.kill(runOf("dead")?.pid ?? 0, "SIGKILL");
  slurm("scontrol", "update", `NodeName=${other}`, "State=RESUME");
  await Promise.all([completed(dead), completed(cut)]);
  expect([expectWhole("dead"), expectWhole("cut")].map(({ id }) => id)).toEqual(begun);
  expect([field(dead, "NodeList"), field(dead, "Restarts")]).toEqual([other, "1"]);
  expect(runOf("dead")?.host).toBe(other);
  execFileSync("ip", ["-n", `cool-${lost}`, "link", "set", "eth0", "up"]);
});

test("what Slurm refuses is one clear error", async () => {
  const { code, stderr } = await cool([...command("refused"), "--on", "slurm", "--partition", "none"]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^Error: Slurm has not taken the job: .*invalid partition specified: none/i),
  ]);
});
