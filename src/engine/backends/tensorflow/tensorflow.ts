/** @file TensorFlow's native library through tfjs-node or tfjs-node-gpu, where one of them is installed. */
import { availableParallelism } from "node:os";
import { BackendError } from "../../../errors.js";
import { type Backend, type BackendRequest, type OpenedBackend, prepareCore } from "../backend.js";
import { cudaLibraries, explainMissingGpu, hasNvidiaDriver, visibleDevices } from "./cuda.js";
import { type Device, deviceName } from "../device.js";
import { installedPackages, loadPackage, QUIET, type TensorflowBinding, type TensorflowPackage } from "./package.js";

/** TensorFlow's native library, through the optional package `@tensorflow/tfjs-node`. */
export const tensorflow: Backend = {
  devices: ["gpu", "cpu"],
  async passedOver({ projectDir }) {
    return installedPackages(projectDir).length === 0 ? "is not installed" : null;
  },
  open: openTensorflow,
};

const HOW_TO_INSTALL = "Install it with: cool backends install tensorflow (or npm i @tensorflow/tfjs-node)";

interface LoadedTensorflow {
  readonly found: TensorflowPackage;
  readonly binding: TensorflowBinding;
  /** Number of the GPU that computes; null on the CPU. */
  readonly gpu: number | null;
}

/** Once per process: neither the addon nor its choice of devices can be changed after it is loaded. */
let loaded: LoadedTensorflow | null = null;

async function openTensorflow({ device = null, projectDir }: BackendRequest): Promise<OpenedBackend> {
  const { found, binding, gpu } = loaded ?? (await load(device, projectDir));
  loaded = { found, binding, gpu };
  if (device !== null) assertDevice(loaded, device);
  const { TF_Version: library } = binding;
  const where = gpu === null ? `CPU${gpuNote(found, device, library)}` : `GPU ${gpu}`;
  return { version: found.version, device: `TensorFlow ${library} on the ${where}`, threads: threadCount() };
}

/** @throws BackendError where it computes on another device than it should */
function assertDevice({ found, binding, gpu }: LoadedTensorflow, device: Device): void {
  const wanted = device.kind === "gpu" ? device.index : null;
  if (gpu === wanted) return;
  const { TF_Version: library } = binding;
  const reason =
    found.flavour === "gpu" && gpu === null
      ? explainMissingGpu(library, cudaLibraries(), hasNvidiaDriver())
      : "TensorFlow is loaded in this process already, and cannot change its device: ask in a process of its own.";
  throw new BackendError(`TensorFlow does not compute on ${deviceName(device)}. ${reason}`, {
    backend: "tensorflow",
    library,
    device: deviceName(device),
  });
}

/** Tries the installations one by one; one that does not load gives way to the next. */
async function load(device: Device | null, projectDir: string | undefined): Promise<LoadedTensorflow> {
  const packages = candidates(installedPackages(projectDir), device, hasNvidiaDriver());
  if (packages.length === 0) throw notInstalled(device);
  prepareEnvironment(device);
  const tf = await prepareCore();
  const failures: string[] = [];
  for (const found of packages) {
    try {
      if (found.addon === null) throw new Error("its native library was not built");
      const binding = loadPackage(tf, found.dir, found.addon, found.name);
      const { registerTensorflowKernels } = await import("./kernels/index.js");
      registerTensorflowKernels();
      const gpu = device?.kind === "gpu" ? device.index : 0;
      return { found, binding, gpu: binding.isUsingGpuDevice() ? gpu : null };
    } catch (error) {
      failures.push(`${found.name} in ${found.dir} does not load: ${explain(error as Error, found)}`);
    }
  }
  throw new BackendError(`The tensorflow backend does not start. ${failures.join(" ")} Or use --backend wasm.`, {
    backend: "tensorflow",
    packages: packages.map(({ dir }) => dir),
    failures,
  });
}

/** A GPU build computes on the CPU too, slower than the CPU build where that is there. */
export function candidates(
  packages: readonly TensorflowPackage[],
  device: Device | null,
  hasDriver: boolean,
): readonly TensorflowPackage[] {
  if (device?.kind === "gpu") return packages.filter(({ flavour }) => flavour === "gpu");
  const cpuFirst = device?.kind === "cpu" || !hasDriver;
  return cpuFirst ? packages.toSorted((a, b) => a.flavour.localeCompare(b.flavour)) : packages;
}

/** TensorFlow reads these when it is loaded. What the user has set stands. */
function prepareEnvironment(device: Device | null): void {
  const { env } = process;
  if (env.DEBUG === undefined || env.DEBUG === "") env.TF_CPP_MIN_LOG_LEVEL ??= QUIET;
  // the library leaves oneDNN off on processors without VNNI, BF16 or AMX, though its convolutions take a third less time
  // there; its builds for other systems come without it
  if (process.platform === "linux" && process.arch === "x64") env.TF_ENABLE_ONEDNN_OPTS ??= "1";
  // takes the memory of the GPU as it is needed, not all of it at once
  env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  if (device !== null) env.CUDA_VISIBLE_DEVICES = visibleDevices(device, env.CUDA_VISIBLE_DEVICES);
}

function threadCount(): number {
  const asked = Number(process.env.TF_NUM_INTRAOP_THREADS);
  return Number.isInteger(asked) && asked > 0 ? asked : availableParallelism();
}

/** Why a GPU build does not compute on a GPU, for the line that says what was taken. */
function gpuNote({ flavour }: TensorflowPackage, device: Device | null, library: string): string {
  if (flavour === "cpu" || device?.kind === "cpu") return "";
  return `; ${explainMissingGpu(library, cudaLibraries(), hasNvidiaDriver())}`;
}

function notInstalled(device: Device | null): BackendError {
  if (device?.kind === "gpu") {
    return new BackendError(
      "TensorFlow for GPUs (@tensorflow/tfjs-node-gpu) is not installed. Install it with: cool backends install tensorflow --gpu, or take --device cpu.",
      { backend: "tensorflow", device: "gpu" },
    );
  }
  return new BackendError(`The tensorflow backend is not installed. ${HOW_TO_INSTALL}, or use --backend wasm.`, {
    backend: "tensorflow",
  });
}

/** What the dynamic linker said, and what to do about it. */
function explain({ message }: Error, { flavour, place }: TensorflowPackage): string {
  const [line = ""] = message.split("\n");
  const said = line.replace(/\.$/, "");
  if (/libcu\w+\.so/.test(message)) {
    return `${said}. ${explainMissingGpu("2.9.1", cudaLibraries(), hasNvidiaDriver(), message)}`;
  }
  const again = `cool backends install tensorflow${flavour === "gpu" ? " --gpu" : ""}`;
  return place === "cache"
    ? `${said}. Install it again with: ${again} --force.`
    : `${said}. Build it again with npm rebuild, or take another one with: ${again}.`;
}
