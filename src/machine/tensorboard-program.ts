/** @file Finds the real TensorBoard on this machine, or installs it in a place of our own. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { CoolError } from "../errors.js";
import { cacheFolder, type Environment } from "../platform/cache-folder.js";

const run = promisify(execFile);

/** A program with its first arguments. */
export type Program = readonly [file: string, ...args: string[]];

const WINDOWS = process.platform === "win32";
const PYTHON = WINDOWS ? "python" : "python3";
const INSTALL_MS = 15 * 60_000;
const CHECK_MS = 20_000;
/** In every complete installation; it comes last, so that one cut short is made anew. */
const READY = ".ready";

/** How to get it, as it follows a message. */
export const HOW_TO_INSTALL =
  "Install it with: cool tensorboard --install (into a folder of its own), or: pip install tensorboard";

/**
 * From the PATH, else the one that `--install` made, else a module of the machine's Python.
 * @throws CoolError where there is none
 */
export async function findTensorBoard(env: Environment = process.env): Promise<Program> {
  const found = onPath("tensorboard", env) ?? installed(env);
  if (found !== null) return [found];
  const python = onPath(PYTHON, env);
  if (python !== null && (await hasModule(python))) return [python, "-m", "tensorboard.main"];
  throw new CoolError(`TensorBoard is not installed. ${HOW_TO_INSTALL}`, {});
}

/**
 * Makes a virtual environment with TensorBoard in the user's cache folder; does nothing where there is one.
 * @param log told what takes long
 * @throws CoolError with the reason where Python or the package index is missing
 */
export async function installTensorBoard(
  log: (line: string) => void,
  env: Environment = process.env,
): Promise<Program> {
  const ready = installed(env);
  if (ready !== null) return [ready];
  const folder = installFolder(env);
  log(`installing TensorBoard in ${folder} (once; it takes a minute or two)`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const limits = { timeout: INSTALL_MS, maxBuffer: 64 * 1024 * 1024, env: { ...env } };
  try {
    await run(onPath(PYTHON, env) ?? PYTHON, ["-m", "venv", folder], limits);
    await run(binary(folder, "python"), ["-m", "pip", "install", "--quiet", "tensorboard"], limits);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new CoolError(`TensorBoard cannot be installed: ${reasonOf(error)}`, { folder }, { cause: error });
  }
  writeFileSync(join(folder, READY), "");
  return [binary(folder, "tensorboard")];
}

function reasonOf(error: unknown): string {
  const { code, stderr, stdout, message } = error as NodeJS.ErrnoException & { stderr?: string; stdout?: string };
  if (code === "ENOENT") return `there is no ${PYTHON} on this machine. Install Python 3.9 or later first.`;
  const said = `${stdout ?? ""}\n${stderr ?? ""}`.trim() || message;
  const lines = said.split("\n").map((line) => line.trim());
  const error_ = lines.findLast((line) => /^error/i.test(line)) ?? lines.at(-1) ?? message;
  return `${error_.replace(/[.\s]+$/, "")}. Install it by hand with: pip install tensorboard`;
}

function installed(env: Environment): string | null {
  const folder = installFolder(env);
  return existsSync(join(folder, READY)) ? binary(folder, "tensorboard") : null;
}

function installFolder(env: Environment): string {
  return join(cacheFolder(env), "tensorboard");
}

function binary(folder: string, name: string): string {
  return WINDOWS ? join(folder, "Scripts", `${name}.exe`) : join(folder, "bin", name);
}

function onPath(name: string, env: Environment): string | null {
  const file = WINDOWS ? `${name}.exe` : name;
  const folders = (env.PATH ?? env.Path ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, file)).find((path) => existsSync(path)) ?? null;
}

async function hasModule(python: string): Promise<boolean> {
  try {
    await run(python, ["-c", "import tensorboard.main"], { timeout: CHECK_MS });
    return true;
  } catch {
    return false;
  }
}
