/** @file ONNX Runtime for tests: installed once per checkout, like the Python packages that judge. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../../.venv/onnxruntime", import.meta.url));
const PACKAGE = "onnxruntime-node";
const TIME_LIMIT_MS = 240_000;

/** Of the one that can be had: a reason to skip where it cannot. */
let installing: Promise<string | null> | null = null;

/** Installs the package where it is not yet. @returns why it cannot be had; null: it is there */
export function ensureOnnxRuntime(): Promise<string | null> {
  installing ??= installOnce();
  return installing;
}

const isInstalled = (): boolean => existsSync(join(folder, "node_modules", PACKAGE, "package.json"));

/** One of several test processes installs; the others wait for it. */
async function installOnce(): Promise<string | null> {
  const lock = `${folder}.lock`;
  mkdirSync(dirname(folder), { recursive: true });
  for (const end = Date.now() + TIME_LIMIT_MS; Date.now() < end; await sleep(200)) {
    if (isInstalled()) return null;
    try {
      mkdirSync(lock);
    } catch {
      continue;
    }
    try {
      return await install();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return `${PACKAGE} is being installed by another process, or its lock ${lock} was left by one that was killed`;
}

/** Into a folder beside its place, which is there whole or not at all. */
async function install(): Promise<string | null> {
  const writing = `${folder}.writing`;
  rmSync(writing, { recursive: true, force: true });
  mkdirSync(writing);
  writeFileSync(join(writing, "package.json"), '{"private": true}');
  try {
    // its CPU library lies in the package; the script would fetch that for GPUs
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
    const options = { cwd: writing, env, timeout: TIME_LIMIT_MS };
    await run("npm", ["install", `${PACKAGE}@^1.30.0`, "--no-audit", "--no-fund"], options);
    renameSync(writing, folder);
    return null;
  } catch (error) {
    return `${PACKAGE} cannot be installed here: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`;
  }
}

/** As if a project had installed it. */
export function linkOnnxRuntime(projectDir: string): void {
  mkdirSync(join(projectDir, "node_modules"), { recursive: true });
  symlinkSync(join(folder, "node_modules", PACKAGE), join(projectDir, "node_modules", PACKAGE), "dir");
}
