/** @file One run over several processes by MPI: the weights of as many replicas, and what becomes of it when a rank goes. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunRecord } from "../../src/storage/run-record.js";
import { type CliResult, cool, coolJson } from "../support/cli.js";
import { needs } from "../support/needs.js";
import { writeNumberProject } from "../support/number-project.js";

const SLOW = { timeout: 240_000 };
const ENTRY = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
const LAUNCHER = ["mpirun.openmpi", "mpirun"].find((name) =>
  /Open MPI/.test(spawnSync(name, ["--version"], { encoding: "utf8" }).stdout ?? ""),
);
const ROOT = process.getuid?.() === 0 ? ["--allow-run-as-root"] : [];

needs(LAUNCHER === undefined ? "no Open MPI: apt-get install openmpi-bin" : null);

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-mpi-"));
  // what sees the whole batch, and what is drawn for each row: both must not notice that it is shared
  writeNumberProject(join(dir, "project"), {
    trunk: `({ at }, layers) => {
    const hidden = layers.dense({ units: 16, activation: "relu" }).apply(at);
    return { f: layers.dropout({ rate: 0.2 }).apply(layers.batchNormalization().apply(hidden)) };
  }`,
  });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const project = (): string => join(dir, "project");
const store = (): string => join(dir, "store");

interface Job {
  readonly ended: Promise<CliResult>;
  /** Waits for a line on stderr. */
  said(pattern: RegExp): Promise<void>;
  /** Signals the process of a rank. */
  signal(rank: number, signal: NodeJS.Signals): void;
}

interface JobOptions {
  /** One per rank. */
  readonly projects?: readonly string[];
  /** Seconds that a rank may be silent; on a busy machine it may be without meaning it. */
  readonly patience?: number;
}

/** Starts `cool run` on ranks of this machine. */
function job(ranks: number, args: readonly string[], { projects = [], patience = 120 }: JobOptions = {}): Job {
  const parts = Array.from({ length: ranks }, (_, rank) => [
    ...(rank === 0 ? [] : [":"]),
    ...["-n", "1", process.execPath, ENTRY, "run", projects[rank] ?? project()],
    ...["--replicas", "mpi", "--backend", "cpu", "--store", store(), ...args],
  ]);
  const child = spawn(LAUNCHER ?? "mpirun", [...ROOT, "--oversubscribe", ...parts.flat()], {
    env: { ...process.env, NODE_ENV: "", VITEST: "", NO_COLOR: "1", DNN_COOL_MPI_PATIENCE: String(patience) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  const looks = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      for (const look of looks) look();
    });
  }
  return {
    ended: new Promise((resolve) => {
      child.on("close", (code, signal) => {
        for (const look of looks) look();
        resolve({ code, signal, ...output } as CliResult);
      });
    }),
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(output.stderr)) resolve();
          else if (child.exitCode !== null) reject(new Error(`it ended without ${pattern}: ${output.stderr}`));
        };
        looks.add(look);
        look();
      }),
    signal(rank, signal) {
      process.kill(pidOf(child.pid ?? 0, rank), signal);
    },
  };
}

/** The process of a rank below a launcher. */
function pidOf(launcher: number, rank: number): number {
  const children = spawnSync("ps", ["-o", "pid=", "--ppid", String(launcher)], { encoding: "utf8" }).stdout;
  const found = children
    .split("\n")
    .map(Number)
    .find((pid) => {
      const file = `/proc/${pid}/environ`;
      return pid > 0 && existsSync(file) && readFileSync(file, "utf8").includes(`OMPI_COMM_WORLD_RANK=${rank}\0`);
    });
  if (found === undefined) throw new Error(`no process of rank ${rank} below ${launcher}`);
  return found;
}

const runs = () => coolJson<{ readonly runs: readonly RunRecord[] }>(["runs", "list", "--store", store()]);

async function weightsOf(name: string): Promise<readonly string[]> {
  const { run } = await coolJson<{ readonly run: { readonly dir: string } }>([
    "runs",
    "show",
    name,
    "--store",
    store(),
  ]);
  return ["best", "last"].map((which) =>
    readFileSync(join(run.dir, "checkpoints", which, "weights.bin")).toString("hex"),
  );
}

const train = (...args: readonly string[]) =>
  coolJson(["run", project(), "--backend", "cpu", "--store", store(), ...args], { timeoutMs: 120_000 });

test("two and three ranks end with the weights of as many replicas, also going on", SLOW, async () => {
  for (const ranks of [2, 3]) {
    await train("--replicas", String(ranks), "--epochs", "3", "--name", `here-${ranks}`);
    const { code, stderr, stdout } = await job(ranks, ["--epochs", "3", "--name", `ranks-${ranks}`, "--json"]).ended;
    expect(code, stderr).toBe(0);
    // one document, of the first rank alone
    expect(JSON.parse(stdout)).toMatchObject({ run: { name: `ranks-${ranks}`, state: "finished" } });
    expect(await weightsOf(`ranks-${ranks}`)).toEqual(await weightsOf(`here-${ranks}`));
  }
  // the other way round: what ranks began goes on alone, and what one machine began on ranks
  await train("--resume", "ranks-2", "--epochs", "5");
  expect((await job(2, ["--resume", "here-2", "--epochs", "5"]).ended).code).toBe(0);
  expect(await weightsOf("ranks-2")).toEqual(await weightsOf("here-2"));
});

test("a rank with other data is named before the first step", SLOW, async () => {
  const other = join(dir, "other");
  cpSync(project(), other, { recursive: true });
  const labels = join(other, "labels.csv");
  writeFileSync(labels, readFileSync(labels, "utf8").replace("1.000,0.000", "0.990,0.000"));
  await train("--epochs", "1", "--name", "equal");
  const before = await runs();
  const { code, stderr } = await job(2, ["--name", "unequal"], { projects: [project(), other] }).ended;
  expect(code).not.toBe(0);
  expect(stderr).toMatch(
    /Rank 1 of 2 \(on [^)]+\) differs from Rank 0 of 2 \(on [^)]+\) in its tables, pictures or texts/,
  );
  expect((await runs()).runs).toHaveLength(before.runs.length);
});

test("a killed or silent rank ends the job, and the run goes on to the same weights", SLOW, async () => {
  const long = ["--epochs", "60", "--name"];
  await train("--replicas", "2", ...long, "whole");
  const killed = job(2, [...long, "killed"]);
  await killed.said(/epoch +5\//);
  killed.signal(1, "SIGKILL");
  expect((await killed.ended).code).not.toBe(0);
  const silent = job(2, [...long, "silent"], { patience: 10 });
  await silent.said(/epoch +5\//);
  silent.signal(1, "SIGSTOP");
  const { code, stderr } = await silent.ended;
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/Rank 1 of 2 \(on [^)]+\) does not answer any more/);
  for (const name of ["killed", "silent"]) {
    const { code: again, stderr: said } = await job(2, ["--resume", name]).ended;
    expect(again, said).toBe(0);
    expect(await weightsOf(name)).toEqual(await weightsOf("whole"));
  }
});

test("asked to stop, all ranks stop after the same step with a checkpoint", SLOW, async () => {
  const asked = job(2, ["--epochs", "60", "--name", "asked"]);
  await asked.said(/epoch +5\//);
  // one rank is asked; the others learn of it with the step
  asked.signal(1, "SIGTERM");
  const { stderr } = await asked.ended;
  expect(stderr).toMatch(/Interrupted: run \S+ \(asked\) is kept with its last checkpoint/);
  expect((await runs()).runs.find(({ name }) => name === "asked")?.state).toBe("interrupted");
  const limited = await job(2, ["--resume", "asked", "--time-limit", "1s"]).ended;
  // the first rank says how the job ends: it is to be started again
  expect(limited.code, limited.stderr).toBe(75);
  expect((await job(2, ["--resume", "asked"]).ended).code).toBe(0);
  expect(await weightsOf("asked")).toEqual(await weightsOf("whole"));
});

test("without a launcher it says how to start one", SLOW, async () => {
  const { code, stderr } = await cool(["run", project(), "--replicas", "mpi", "--store", store()]);
  expect(code).toBe(2);
  expect(stderr).toContain("mpirun -n 2 cool run --replicas mpi");
});
