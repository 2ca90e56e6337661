/** @file The machine, the system and the versions that a run is made with. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, hostname, release, totalmem } from "node:os";
import { promisify } from "node:util";
import { findManifest, packageFolders } from "../platform/optional-package.js";
import { packageFile } from "../platform/package-file.js";

/** Stored as flat keys: `cpu.model`, `packages.sharp`. */
export interface Environment {
  readonly host: string;
  readonly os: { readonly platform: string; readonly release: string; readonly arch: string };
  readonly cpu: {
    readonly model: string;
    readonly count: number /** That this process may use. */;
    readonly available: number;
  };
  readonly memoryBytes: number;
  /** Null where no NVIDIA driver answers. */
  readonly gpu: {
    readonly names: readonly string[];
    readonly memoryMb: readonly number[];
    readonly driver: string;
  } | null;
  readonly node: string;
  /** Versions of dnn-cool and of the packages it computes, reads and stores with. */
  readonly packages: Readonly<Record<string, string>>;
  readonly workingDir: string;
}

export async function readEnvironment(): Promise<Environment> {
  return { ...machineEnvironment(), gpu: await readGpus() };
}

/** What needs no other program to be known. */
export function machineEnvironment(): Omit<Environment, "gpu"> {
  const processors = cpus();
  return {
    host: hostname(),
    os: { platform: process.platform, release: release(), arch: process.arch },
    cpu: {
      model: processors[0]?.model.trim() ?? "unknown",
      count: processors.length,
      available: availableParallelism(),
    },
    memoryBytes: totalmem(),
    node: process.versions.node,
    packages: packageVersions(),
    workingDir: process.cwd(),
  };
}

// without a persistent driver its first answer takes seconds
const SMI_TIMEOUT_MS = 5000;

/**
 * Rows that nvidia-smi prints for each GPU, cells as text; null where it is not there or gives no answer.
 * @param fields as `nvidia-smi --help-query-gpu` lists them
 */
export async function queryGpus(fields: readonly string[]): Promise<string[][] | null> {
  try {
    const { stdout } = await promisify(execFile)(
      "nvidia-smi",
      [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"],
      { timeout: SMI_TIMEOUT_MS, windowsHide: true },
    );
    const rows = stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "");
    return rows.length === 0 ? null : rows.map((row) => row.split(",").map((cell) => cell.trim()));
  } catch {
    // no such program, no driver, or one that hangs
    return null;
  }
}

async function readGpus(): Promise<Environment["gpu"]> {
  const rows = await queryGpus(["name", "memory.total", "driver_version"]);
  if (rows === null) return null;
  return {
    names: rows.map(([name = "unknown"]) => name),
    memoryMb: rows.map(([, memory]) => Number(memory)),
    driver: rows[0]?.[2] ?? "unknown",
  };
}

/** dnn-cool's own version and those of its dependencies that are installed. */
export function packageVersions(): Readonly<Record<string, string>> {
  const own = readManifest(packageFile("package.json"));
  const names = Object.keys({ ...own?.dependencies, ...own?.optionalDependencies }).sort();
  const versions = names.map((name): [string, string | undefined] => [name, installedVersion(name)]);
  return Object.fromEntries([
    ["dnn-cool", own?.version ?? "unknown"],
    ...versions.filter((entry): entry is [string, string] => entry[1] !== undefined),
  ]);
}

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function installedVersion(name: string): string | undefined {
  const file = findManifest(name, packageFolders(null));
  return file === null ? undefined : readManifest(file)?.version;
}

function readManifest(file: string | URL): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}
