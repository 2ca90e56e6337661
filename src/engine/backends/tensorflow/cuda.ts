/** @file Why TensorFlow does not find the GPU: CUDA libraries that are missing, or newer than what it was built for. */
import { existsSync, readdirSync } from "node:fs";
import { delimiter } from "node:path";
import type { Environment } from "../../../platform/cache-folder.js";
import type { Device } from "../device.js";

interface CudaNeeds {
  readonly cuda: string;
  readonly cudnn: string;
  /** File names that the dynamic linker must find. */
  readonly libraries: readonly string[];
}

/** What TensorFlow's own binaries are built for (tensorflow.org/install/source#gpu). */
function needsOf(tensorflowVersion: string): CudaNeeds {
  const minor = Number(tensorflowVersion.split(".")[1]);
  return minor < 12
    ? { cuda: "11", cudnn: "8", libraries: ["libcudart.so.11.0", "libcublas.so.11", "libcudnn.so.8"] }
    : { cuda: "12", cudnn: minor < 18 ? "8" : "9", libraries: cuda12(minor < 18 ? "8" : "9") };
}

function cuda12(cudnn: string): readonly string[] {
  return ["libcudart.so.12", "libcublas.so.12", `libcudnn.so.${cudnn}`];
}

/**
 * One or two sentences on why a GPU build of TensorFlow computes on the CPU, and what to do.
 * @param libraries file names of the shared libraries that the dynamic linker can find
 * @param hasDriver whether NVIDIA's driver is loaded
 */
export function explainMissingGpu(
  tensorflowVersion: string,
  libraries: readonly string[],
  hasDriver: boolean,
  loaderMessage = "",
): string {
  const built = `TensorFlow ${tensorflowVersion}`;
  if (!hasDriver) {
    return `No NVIDIA driver is loaded on this machine (nvidia-smi shows whether it is). Install it, or take --device cpu.`;
  }
  const { cuda, cudnn, libraries: wanted } = needsOf(tensorflowVersion);
  const named = /(lib\w+\.so[.\d]*): cannot open shared object/.exec(loaderMessage)?.[1];
  const missing = [
    ...new Set([...(named === undefined ? [] : [named]), ...wanted.filter((name) => !libraries.includes(name))]),
  ];
  if (missing.length === 0) {
    return `${built} finds its CUDA libraries but no GPU it can use: CUDA_VISIBLE_DEVICES may hide it, or the GPU is newer than CUDA ${cuda}. Take --backend webgpu where there is one, or --device cpu.`;
  }
  const newer = missing.flatMap((name) => otherVersions(name, libraries));
  const state =
    newer.length === 0
      ? `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing`
      : `it looks for ${missing.join(", ")}, and this machine has ${newer.join(", ")}, which it was not built for`;
  return `${built} needs CUDA ${cuda} and cuDNN ${cudnn}: ${state}. Install those versions beside the others and add their folder to LD_LIBRARY_PATH, or take --device cpu.`;
}

/** The same library in other versions: libcudart.so.12 for libcudart.so.11.0. */
function otherVersions(name: string, libraries: readonly string[]): string[] {
  const stem = `${name.split(".so")[0]}.so.`;
  return libraries.filter((library) => library.startsWith(stem) && library !== name);
}

/** File names of CUDA's libraries in the usual places and in LD_LIBRARY_PATH. */
export function cudaLibraries(env: Environment = process.env): string[] {
  const usual = ["/usr/local/cuda/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"];
  const folders = [...(env.LD_LIBRARY_PATH ?? "").split(delimiter), ...usual].filter(
    (folder) => folder !== "" && existsSync(folder),
  );
  return [...new Set(folders.flatMap((folder) => readdirSync(folder)))].filter((name) =>
    /^libcu(dart|blas|dnn)\.so\.[\d.]+$/.test(name),
  );
}

/** Whether a driver of NVIDIA's is loaded, whatever CUDA there is. */
export function hasNvidiaDriver(): boolean {
  // the second is how Windows hands its GPU to Linux inside it
  return ["/proc/driver/nvidia/version", "/dev/dxg"].some((file) => existsSync(file)) || process.platform === "win32";
}

/**
 * Value of CUDA_VISIBLE_DEVICES with which CUDA sees the device alone. Where the variable is set already, GPUs are
 * counted among those that it leaves.
 */
export function visibleDevices(device: Device, current: string | undefined): string {
  if (device.kind === "cpu") return "-1";
  const left = (current ?? "").split(",").filter((name) => name !== "");
  return left[device.index] ?? String(device.index);
}
