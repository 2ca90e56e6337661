/** @file `cool backends list`: what can compute here, where it came from, and how fast it is. */
import { BACKEND_NAMES, type BackendName } from "../../engine/backends/choose.js";
import { installedPackages, privateInstallation } from "../../engine/backends/tensorflow/package.js";
import { findWebgpuPackages } from "../../engine/backends/webgpu/packages.js";
import { measureBackend } from "../speed-check.js";
import { readInstallRecord } from "./install-tensorflow.js";

export interface ListedBackend {
  readonly name: BackendName;
  /** Whether it loads and trains. */
  readonly works: boolean;
  readonly version: string | null;
  readonly device: string | null;
  readonly threads: number | null;
  /** Where it came from. */
  readonly source: string;
  /** Of a small convolutional network in training; null where it does not work or was not measured. */
  readonly images_per_second: number | null;
  /** Why it does not work, and what to do; null where it does. */
  readonly problem: string | null;
}

/**
 * @param milliseconds to train each backend for
 * @param projectDir the user's project, whose packages may be loaded
 */
export async function listBackends(milliseconds: number, projectDir?: string): Promise<ListedBackend[]> {
  const listed: ListedBackend[] = [];
  for (const name of BACKEND_NAMES) listed.push(await listBackend(name, milliseconds, projectDir));
  return listed;
}

async function listBackend(
  name: BackendName,
  milliseconds: number,
  projectDir: string | undefined,
): Promise<ListedBackend> {
  const source = sourceOf(name, projectDir);
  try {
    const { version, device, threads, imagesPerSecond } = await measureBackend(name, milliseconds, projectDir);
    const rate = Math.round(imagesPerSecond);
    return { name, works: true, version, device, threads, source, images_per_second: rate, problem: null };
  } catch (error) {
    const nothing = { version: null, device: null, threads: null, images_per_second: null };
    return { name, works: false, ...nothing, source, problem: (error as Error).message };
  }
}

function sourceOf(name: BackendName, projectDir: string | undefined): string {
  if (name === "webgpu") return findWebgpuPackages(projectDir) === null ? "not installed" : "npm packages of your own";
  if (name !== "tensorflow") return "part of dnn-cool";
  const [found] = installedPackages(projectDir);
  if (found === undefined) return "not installed";
  if (found.place !== "cache") return `${found.name} in ${found.dir}`;
  const record = readInstallRecord(privateInstallation(found.flavour));
  const library =
    record === null || record.source === "installer" ? "its own library" : `the library of ${record.source}`;
  return `cool backends install: ${found.name} with ${library}`;
}
