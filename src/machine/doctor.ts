/** @file `cool doctor`: what works on this machine, and what to do about what does not. */
import { existsSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import type { BackendName } from "../engine/backends/choose.js";
import { CoolError, StoreError } from "../errors.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import { packageVersions, queryGpus } from "../provenance/environment.js";
import { cleanStore } from "../records/leftovers.js";
import { findOrphans, type Repair, repairOrphans } from "../records/orphans.js";
import { measureBackend } from "./speed-check.js";

/** `absent`: not there, and not needed. */
export type CheckStatus = "ok" | "absent" | "warning" | "broken";

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  readonly detail: string;
  /** What to do about it. */
  readonly advice: string | null;
}

export interface Diagnosis {
  /** Whether nothing is broken. */
  readonly healthy: boolean;
  readonly checks: readonly Check[];
  readonly repairs: readonly Repair[];
}

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail, advice: null });
const absent = (name: string, detail: string, advice: string): Check => ({ name, status: "absent", detail, advice });
const warning = (name: string, detail: string, advice: string): Check => ({ name, status: "warning", detail, advice });
const broken = (name: string, detail: string, advice: string): Check => ({ name, status: "broken", detail, advice });

/**
 * Looks at everything; takes about three seconds.
 * @param storeDir null where there is no project and none was named
 * @param projectDir the user's project, whose packages may be loaded
 * @param repair also repair orphans between folders and database
 */
export async function diagnose(
  storeDir: string | null,
  options: { readonly repair?: boolean; readonly projectDir?: string | undefined } = {},
): Promise<Diagnosis> {
  const versions = packageVersions();
  const store = storeDir === null ? [noStore()] : checkStore(storeDir);
  const repairs = storeDir !== null && options.repair === true ? repairStore(storeDir, store) : [];
  const orphans = storeDir === null ? [] : checkOrphans(storeDir, store);
  const checks = [
    checkNode(),
    ok("processor", `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} usable`),
    checkMemory(),
    await checkGpu(),
    await checkSqlite(versions),
    await checkDuckdb(versions),
    await checkSharp(versions),
    ...(await checkBackends(options.projectDir)),
    checkProgram("tensorboard", "Curves are kept all the same. To look at them: pip install tensorboard"),
    checkProgram("git", "Runs are kept without commit and patch. Install git to have them."),
    ...store,
    ...orphans,
    checkDisk(storeDir ?? process.cwd()),
  ];
  return { healthy: checks.every(({ status }) => status !== "broken"), checks, repairs };
}

function checkNode(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 9)
    ? ok("node", node)
    : broken("node", `${node} is too old`, "Install Node.js 20.9 or later.");
}

const GB = 1e9;

function checkMemory(): Check {
  const detail = `${(freemem() / GB).toFixed(1)} of ${(totalmem() / GB).toFixed(1)} GB free`;
  return freemem() > 0.3 * GB
    ? ok("memory", detail)
    : warning("memory", detail, "Close other programs before training; a full memory ends processes.");
}

async function checkGpu(): Promise<Check> {
  const gpus = await queryGpus(["name", "memory.total"]);
  return gpus === null
    ? absent("gpu", "nvidia-smi does not answer", "Training runs on the processor.")
    : ok("gpu", gpus.map(([name, memory]) => `${name} (${memory} MB)`).join(", "));
}

/** Loads a package and lets it do something small. */
async function checkPackage(name: string, version: string | undefined, use: () => Promise<string>): Promise<Check> {
  try {
    const detail = await use();
    return ok(name, `${version ?? "unknown version"}${detail === "" ? "" : `, ${detail}`}`);
  } catch (error) {
    if (error instanceof StoreError) return broken(name, "does not load", error.message);
    const [reason = ""] = (error as Error).message.split("\n");
    return broken(
      name,
      `does not load: ${reason}`,
      `Install it again for this version of Node.js: npm rebuild ${name} (or npm install).`,
    );
  }
}

type Versions = Readonly<Record<string, string>>;

function checkSqlite(versions: Versions): Promise<Check> {
  return checkPackage("better-sqlite3", versions["better-sqlite3"], async () => {
    const { openConnection, prepare } = await import("../storage/database/connection.js");
    const database = openConnection(":memory:", {});
    const version = prepare<[]>(database, "SELECT sqlite_version()").pluck().get();
    database.close();
    return `SQLite ${version}`;
  });
}

function checkDuckdb(versions: Versions): Promise<Check> {
  return checkPackage("@duckdb/node-api", versions["@duckdb/node-api"], async () => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll("SELECT version()");
    const version = String(reader.value(0, 0));
    connection.closeSync();
    instance.closeSync();
    return `DuckDB ${version}`;
  });
}

function checkSharp(versions: Versions): Promise<Check> {
  return checkPackage("sharp", versions.sharp, async () => {
    const { default: sharp } = await import("sharp");
    const pixel = { width: 2, height: 2, channels: 3 as const, background: "red" };
    const { data } = await sharp(await sharp({ create: pixel }).png().toBuffer())
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (data[0] !== 255) throw new Error("a red pixel is decoded wrongly");
    return `libvips ${sharp.versions.vips}`;
  });
}

const SPEED_CHECK_MS = 400;

async function checkBackends(projectDir: string | undefined): Promise<Check[]> {
  const checks: Check[] = [];
  for (const name of ["wasm", "cpu", "tensorflow", "webgpu"] as const)
    checks.push(await checkBackend(name, projectDir));
  return checks;
}

async function checkBackend(name: BackendName, projectDir: string | undefined): Promise<Check> {
  const title = `backend ${name}`;
  try {
    const { version, device, threads, imagesPerSecond } = await measureBackend(name, SPEED_CHECK_MS, projectDir);
    const speed = `${Math.round(imagesPerSecond)} images/s in training (32 × 32 × 3, one convolution)`;
    return ok(title, `${version} (${device}), ${threads} thread${threads === 1 ? "" : "s"}, ${speed}`);
  } catch (error) {
    const { message } = error as Error;
    const isOptional = name === "tensorflow" || name === "webgpu";
    if (isOptional && error instanceof CoolError) return absent(title, message, "wasm is used instead.");
    return broken(title, message.split("\n")[0] ?? "", "Install dnn-cool again (npm install).");
  }
}

function checkProgram(name: string, advice: string): Check {
  const endings = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((dir) => endings.map((ending) => join(dir, name + ending)))
    .find((path) => existsSync(path));
  return found === undefined ? absent(name, "not found in PATH", advice) : ok(name, found);
}

function noStore(): Check {
  return absent("store", "no project here", "Name one with --project or --store to have its store checked.");
}

function checkStore(storeDir: string): Check[] {
  if (!existsSync(join(storeDir, "cool.db"))) {
    return [absent("store", `there is none at ${storeDir} yet`, "The first cool run makes it.")];
  }
  try {
    return withStore(storeDir, (store) => {
      const problems = store.problems();
      if (problems.length > 0) {
        const advice =
          "Stop all runs, copy the folder, and put back a backup or recover it with: sqlite3 cool.db .recover";
        return [broken("store", `${storeDir}: ${problems.slice(0, 3).join("; ")}`, advice)];
      }
      const runs = store.listRuns({ includeTrash: true });
      const crashed = runs.filter(({ displayState }) => displayState === "crashed");
      return [
        ok("store", `${storeDir}: ${runs.length} runs, database sound`),
        ...(crashed.length === 0
          ? []
          : [
              warning(
                "crashed runs",
                crashed
                  .slice(0, 5)
                  .map(({ id, name }) => `${id} (${name})`)
                  .join(", "),
                `Go on with them (cool run --resume ${crashed[0]?.id}) or remove them.`,
              ),
            ]),
      ];
    });
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    return [broken("store", error.message, "See above.")];
  }
}

function isUsable(store: readonly Check[]): boolean {
  return store.some(({ name, status }) => name === "store" && status === "ok");
}

function checkOrphans(storeDir: string, store: readonly Check[]): Check[] {
  if (!isUsable(store)) return [];
  const { folders, rows, back } = withStore(storeDir, (opened) => findOrphans(opened));
  if (folders.length + rows.length + back.length === 0)
    return [ok("folders", "every run has its folder, every folder its run")];
  const lists = [
    ...(folders.length === 0 ? [] : [`folders without a run: ${folders.slice(0, 5).join(", ")}`]),
    ...(rows.length === 0 ? [] : [`runs without a folder: ${rows.slice(0, 5).join(", ")}`]),
    ...(back.length === 0 ? [] : [`tagged folder-missing, with a folder: ${back.slice(0, 5).join(", ")}`]),
  ];
  return [broken("folders", lists.join("; "), "Repair this with: cool doctor --repair")];
}

function repairStore(storeDir: string, store: readonly Check[]): Repair[] {
  if (!isUsable(store)) return [];
  return withStore(
    storeDir,
    (opened) => [
      ...repairOrphans(opened, findOrphans(opened)),
      ...cleanStore(opened).map((what) => ({ what, deed: "deleted: half written when a process was ended" })),
    ],
    false,
  );
}

function withStore<T>(storeDir: string, use: (store: RunStore) => T, readonly = true): T {
  const store = openRunStore(storeDir, { readonly });
  try {
    return use(store);
  } finally {
    store.close();
  }
}

function checkDisk(dir: string): Check {
  const { bavail, bsize } = statfsSync(existsSync(dir) ? dir : ".");
  const free = bavail * bsize;
  const detail = `${(free / GB).toFixed(1)} GB free`;
  if (free < 0.05 * GB) return broken("disk", detail, "Free some space: a run cannot be stored.");
  return free < GB ? warning("disk", detail, "Free some space before a long run (cool runs gc).") : ok("disk", detail);
}
