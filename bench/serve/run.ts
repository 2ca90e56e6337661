/**
 * @file Requests per second and latency of `cool serve` beside FastAPI and ONNX Runtime on the same exported model, over
 * loopback. It serves the built package: run `npm run build` first. `COOL_BENCH_PYTHON` names a Python with fastapi,
 * uvicorn, pillow and onnxruntime; without it our sides alone are measured. It takes about two minutes.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { generateDataset } from "../../examples/home-security/generate.js";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import { type Load, load, post } from "./load.js";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "2" },
    /** Of one side at one concurrency in one round. */
    seconds: { type: "string", default: "3" },
    concurrency: { type: "string", default: "1,8,32" },
    workers: { type: "string", default: String(availableParallelism()) },
    sides: { type: "string", default: "onnx,wasm,fastapi" },
    /** Folder in whose node_modules onnxruntime-node lies; default: that of the tests. */
    runtime: { type: "string", default: path.join(ROOT, ".venv", "onnxruntime") },
  },
});

const CLI = path.join(ROOT, "bin", "run.js");
const PYTHON = process.env.COOL_BENCH_PYTHON;
const RUNTIME = path.resolve(flags.runtime, "node_modules", "onnxruntime-node");

/** A server, as it is started. */
interface Side {
  readonly name: string;
  readonly command: (port: number) => readonly string[];
}

const SIDES: Readonly<Record<string, Side>> = {
  onnx: {
    name: "cool serve, onnxruntime-node",
    command: (port) => [process.execPath, CLI, "serve", "model.onnx", ...serveFlags(port)],
  },
  wasm: {
    name: "cool serve, tfjs wasm",
    command: (port) => [process.execPath, CLI, "serve", "layers", ...serveFlags(port)],
  },
  fastapi: {
    name: "FastAPI, onnxruntime",
    command: (port) => [
      PYTHON ?? "",
      path.join(ROOT, "bench", "serve", "peer.py"),
      "model.onnx",
      String(port),
      flags.workers,
    ],
  },
};

function serveFlags(port: number): string[] {
  return ["--port", String(port), "--workers", flags.workers, "--quiet"];
}

/** Pictures of the example, a short training, and its exports. */
async function prepare(dir: string): Promise<Uint8Array[]> {
  await generateDataset(dir, { count: 240 });
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [CLI, ...args], { cwd: dir, stdio: ["ignore", "ignore", "inherit"] });
  for (const file of ["cool.config.ts", "generate.ts"]) {
    copyFileSync(path.join(ROOT, "examples", "home-security", file), path.join(dir, file));
  }
  mkdirSync(path.join(dir, "node_modules"));
  symlinkSync(ROOT, path.join(dir, "node_modules", "dnn-cool"), "dir");
  symlinkSync(path.join(ROOT, "node_modules", "sharp"), path.join(dir, "node_modules", "sharp"), "dir");
  run("run", "--epochs", "2");
  run("export", "latest", "--to", "model.onnx");
  run("export", "latest", "--format", "layers", "--to", "layers");
  const images = path.join(dir, "images");
  return readdirSync(images)
    .slice(0, 64)
    .map((name) => new Uint8Array(readFileSync(path.join(images, name))));
}

/** With the time that the server's processors took for one request. */
interface Measured extends Load {
  readonly cpu_ms: number;
}

/** A server under way. */
interface Running {
  readonly side: Side;
  readonly url: string;
  readonly child: ChildProcess;
}

async function start(side: Side, dir: string): Promise<Running> {
  const port = await freePort();
  const [program = "", ...args] = side.command(port);
  const child = spawn(program, args, { cwd: dir, stdio: ["ignore", "ignore", "inherit"], detached: true });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`${side.name} ended with ${child.exitCode}`);
    const isUp = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { side, url: `${url}/predict`, child };
    await sleep(100);
  }
  throw new Error(`${side.name} did not start`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Of a process and all below it: the sum of their peaks, in MB. NaN where nothing tells. */
function peakMegabytes(pid: number | undefined): number {
  if (pid === undefined || !existsSync(`/proc/${pid}/status`)) return Number.NaN;
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
  return childrenOf(pid).reduce((sum, child) => sum + peakMegabytes(child), peak);
}

/** Of a process and all below it so far, in ms: what a busy machine cannot distort. NaN where nothing tells. */
function cpuMilliseconds(pid: number | undefined): number {
  if (pid === undefined || !existsSync(`/proc/${pid}/stat`)) return Number.NaN;
  // after the name, which may hold anything: utime and stime in hundredths of a second (proc(5))
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const own = 10 * (Number(fields[11]) + Number(fields[12]));
  return childrenOf(pid).reduce((sum, child) => sum + cpuMilliseconds(child), own);
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((id) => id !== "")
    .map(Number);
}

/** Paths of the tasks that are asked: whether the sides answer the same. */
async function askedTasks(url: string, bodies: readonly Uint8Array[]): Promise<string[]> {
  const asked: string[] = [];
  for (const body of bodies) {
    const { status, text } = await post(url, body);
    if (status !== 200) throw new Error(`${url} answers ${status}: ${text}`);
    const { predictions, answers } = JSON.parse(text);
    asked.push(
      Object.keys(answers ?? predictions[0].answers)
        .sort()
        .join(),
    );
  }
  return asked;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

warnIfBusy();
const dir = mkdtempSync(path.join(tmpdir(), "cool-bench-serve-"));
const running: Running[] = [];
try {
  printProgress("preparing the example, a short training and its exports …");
  const bodies = await prepare(dir);
  if (existsSync(RUNTIME)) {
    symlinkSync(RUNTIME, path.join(dir, "node_modules", "onnxruntime-node"), "dir");
  }
  const sides = flags.sides.split(",").filter((name) => {
    const lacks = name === "fastapi" ? PYTHON === undefined : name === "onnx" && !existsSync(RUNTIME);
    if (lacks)
      printProgress(
        `${name} is left out: ${name === "fastapi" ? "COOL_BENCH_PYTHON is not set" : `there is no ${RUNTIME}`}`,
      );
    return !lacks;
  });
  for (const name of sides) {
    const side = SIDES[name];
    if (side === undefined) throw new Error(`There is no side ${name}; there are ${Object.keys(SIDES).join(", ")}.`);
    running.push(await start(side, dir));
  }
  const asked = await Promise.all(running.map(({ url }) => askedTasks(url, bodies)));
  const differ = bodies.filter((_, i) => new Set(asked.map((own) => own[i])).size > 1).length;
  print(`${bodies.length} pictures; the sides ask other questions about ${differ} of them`);
  const measured = new Map<string, Measured[]>();
  const levels = flags.concurrency.split(",").map(Number);
  for (const { url } of running) await load(url, bodies, { concurrency: 8, seconds: 1 });
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const concurrency of levels) {
      for (const { side, url, child } of running) {
        const key = `${side.name}/${concurrency}`;
        const before = cpuMilliseconds(child.pid);
        const own = await load(url, bodies, { concurrency, seconds: Number(flags.seconds) });
        const one = { ...own, cpu_ms: (cpuMilliseconds(child.pid) - before) / own.requests };
        printProgress(
          `round ${round + 1}, ${side.name}, ${concurrency} at a time: ${(one.requests / one.seconds).toFixed(0)} requests/s`,
        );
        measured.set(key, [...(measured.get(key) ?? []), one]);
      }
    }
  }
  const table = new Table({
    head: ["at a time", "server", "requests/s", "p50, ms", "p99, ms", "CPU ms/request", "failures", "peak RSS, MB"],
  });
  const rows = levels.flatMap((concurrency) =>
    running.map(({ side, child }) => {
      const loads = measured.get(`${side.name}/${concurrency}`) ?? [];
      const latencies = loads.flatMap((one) => one.latencies);
      return {
        ...{ concurrency, server: side.name, workers: Number(flags.workers) },
        requests_per_second: median(loads.map(({ requests, seconds }) => requests / seconds)),
        ...{ p50_ms: percentile(latencies, 0.5), p99_ms: percentile(latencies, 0.99) },
        cpu_ms_per_request: median(loads.map(({ cpu_ms }) => cpu_ms)),
        failures: loads.reduce((sum, one) => sum + one.failures, 0),
        peak_rss_mb: peakMegabytes(child.pid),
      };
    }),
  );
  for (const row of rows) {
    const { concurrency, server, requests_per_second, p50_ms, p99_ms, cpu_ms_per_request, failures, peak_rss_mb } = row;
    table.push([
      concurrency,
      server,
      requests_per_second.toFixed(0),
      p50_ms.toFixed(1),
      p99_ms.toFixed(1),
      cpu_ms_per_request.toFixed(1),
      failures,
      peak_rss_mb.toFixed(0),
    ]);
  }
  print(table.toString());
  print(`written to ${writeResults("serve", { pictures_that_differ: differ, rows })}`);
} finally {
  for (const { child } of running) {
    // with the workers that it has started
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  }
  await Promise.all(running.map(({ child }) => (child.exitCode === null ? once(child, "exit") : null)));
  rmSync(dir, { recursive: true, force: true });
}
