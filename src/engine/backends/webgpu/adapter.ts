/** @file The GPU that WebGPU computes on, found once per process. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { type GpuAdapter, type GpuEntry, loadDawn, type WebgpuPackages } from "./packages.js";

export interface FoundAdapter {
  readonly gpu: GpuEntry;
  readonly adapter: GpuAdapter;
}

let found: Promise<FoundAdapter | null> | null = null;

/**
 * The fastest adapter; null where no driver answers. Looks once: an instance of Dawn lives as long as the process.
 */
export function findAdapter(packages: WebgpuPackages): Promise<FoundAdapter | null> {
  found ??= requestAdapter(packages);
  return found;
}

async function requestAdapter(packages: WebgpuPackages): Promise<FoundAdapter | null> {
  // Dawn complains on stderr where there is none
  if (!hasDriver()) return null;
  const { create, globals } = await loadDawn(packages);
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const gpu = create(process.platform === "linux" ? ["backend=vulkan"] : []);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  return adapter === null ? null : { gpu, adapter };
}

/** Whether there is a driver: elsewhere than on Linux it comes with the system. */
function hasDriver(): boolean {
  return process.platform !== "linux" || hasNamedDriver() || driverFolders().some((dir) => filesIn(dir).length > 0);
}

/** The variables by which Vulkan's loader is told its drivers. */
function hasNamedDriver(): boolean {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES } = process.env;
  return [VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES].some((files = "") => files !== "");
}

/** Where Vulkan's loader looks for drivers. */
function driverFolders(): string[] {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS = "/etc/xdg", XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const roots = [
    XDG_CONFIG_HOME ?? join(homedir(), ".config"),
    ...XDG_CONFIG_DIRS.split(delimiter),
    "/etc",
    XDG_DATA_HOME ?? join(homedir(), ".local/share"),
    ...(XDG_DATA_DIRS ?? "/usr/local/share:/usr/share").split(delimiter),
  ];
  return roots.map((root) => join(root, "vulkan", "icd.d"));
}

/** Whether the system knows a GPU at all, or has been told of a driver. */
export function mayHaveGpu(): boolean {
  if (process.platform !== "linux" || hasNamedDriver()) return true;
  const nodes = [...filesIn("/dev"), ...filesIn("/dev/dri")];
  return nodes.some((name) => /^(renderD\d+|nvidia\d+|dxg)$/.test(name));
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** Whether it computes on the processor. */
export function isSoftware({ info }: GpuAdapter): boolean {
  const names = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(names);
}

/** What a GPU calls itself. */
export function nameOf({ info }: GpuAdapter): string {
  return [info.device, info.description, info.architecture, info.vendor].find((name) => name !== "") ?? "a GPU";
}
