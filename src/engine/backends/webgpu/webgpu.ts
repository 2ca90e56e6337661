/** @file tfjs's WebGPU backend on Dawn: GPUs of every maker, without CUDA, where the two packages are installed. */
import { at } from "../../../arrays.js";
import { BackendError } from "../../../errors.js";
import { type Backend, type BackendRequest, type OpenedBackend, prepareCore } from "../backend.js";
import { DawnEvents } from "./dawn-events.js";
import { type Device, deviceName } from "../device.js";
import { findAdapter, isSoftware, mayHaveGpu, nameOf } from "./adapter.js";
import {
  findWebgpuPackages,
  type GpuAdapter,
  type GpuBuffer,
  type GpuDevice,
  type GpuEntry,
  loadKernels,
  type WebgpuBackend,
} from "./packages.js";

/** tfjs on a GPU by Vulkan, Metal or Direct3D, through the optional package `webgpu`. */
export const webgpu: Backend = { devices: ["gpu"], passedOver, open: openWebgpu };

const HOW_TO_INSTALL = "Install it with: npm i webgpu @tensorflow/tfjs-backend-webgpu";

/** Only a hardware adapter is worth a try: a software one is slower than wasm. */
async function passedOver({ projectDir }: BackendRequest): Promise<string | null> {
  const packages = findWebgpuPackages(projectDir);
  if (packages === null) return "is not installed";
  if (!mayHaveGpu()) return "finds no GPU";
  try {
    const { adapter } = (await findAdapter(packages)) ?? {};
    if (adapter === undefined) return "finds no GPU with a driver";
    return isSoftware(adapter)
      ? `has only a software adapter (${nameOf(adapter)}), which is taken by name alone`
      : null;
  } catch (error) {
    return `does not load: ${(error as Error).message}`;
  }
}

let opening: Promise<OpenedBackend> | null = null;

async function openWebgpu({ device = null, projectDir }: BackendRequest): Promise<OpenedBackend> {
  if (device?.kind === "gpu" && device.index > 0) throw numbered(device);
  opening ??= openFastest(projectDir);
  try {
    return await opening;
  } catch (error) {
    opening = null;
    throw error;
  }
}

async function openFastest(projectDir: string | undefined): Promise<OpenedBackend> {
  const packages = findWebgpuPackages(projectDir);
  if (packages === null) {
    throw new BackendError(`The webgpu backend is not installed. ${HOW_TO_INSTALL}, or use --backend wasm.`, {
      backend: "webgpu",
    });
  }
  const found = await findAdapter(packages);
  if (found === null) throw noAdapter();
  const { adapter, gpu } = found;
  const tf = await prepareCore();
  const { WebGPUBackend } = loadKernels(packages, tf);
  const { events, result: gpuDevice } = await DawnEvents.capture(() => requestDevice(adapter));
  if (events === null) throw otherDawn(packages.dawn.version);
  const backend = withNavigator(gpu, () => new WebGPUBackend(gpuDevice, adapter.info));
  readAtOnce(backend, events, refusals(gpuDevice));
  // small tensors would otherwise be left to other kernels, by where they happen to be
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  tf.registerBackend("webgpu", () => backend);
  const { registerWebgpuKernels } = await import("./kernels/index.js");
  registerWebgpuKernels();
  return { version: packages.kernels.version, device: `${nameOf(adapter)} by WebGPU`, threads: 1 };
}

/** As much as the adapter can do: the defaults of WebGPU are made for phones. */
function requestDevice(adapter: GpuAdapter): Promise<GpuDevice> {
  const raised = [
    "maxComputeWorkgroupStorageSize",
    "maxComputeWorkgroupsPerDimension",
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxComputeWorkgroupSizeX",
    "maxComputeInvocationsPerWorkgroup",
  ];
  const requiredLimits = Object.fromEntries(raised.map((name) => [name, adapter.limits[name] as number]));
  return adapter.requestDevice({ requiredLimits });
}

/** tfjs looks for `navigator.gpu` while it makes its backend, and never again. */
function withNavigator<T>(gpu: GpuEntry, make: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "node" }, configurable: true });
  try {
    return make();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, "navigator");
    else Object.defineProperty(globalThis, "navigator", before);
  }
}

// of WebGPU's GPUBufferUsage and GPUMapMode
const MAP_READ = 0x1;
const COPY_DST = 0x8;
const READ = 0x1;

/**
 * What the device refuses, as it says it: a shader that does not compile, a buffer that is too large. WebGPU goes on
 * without what was refused, and later kernels compute with whatever their buffers hold.
 */
function refusals(device: GpuDevice): readonly string[] {
  const messages: string[] = [];
  device.addEventListener("uncapturederror", ({ error }) => messages.push(error.message));
  return messages;
}

/** Gives the backend a `dataSync` that works outside of a browser, where tfjs would draw the numbers on a canvas. */
function readAtOnce(backend: WebgpuBackend, events: DawnEvents, refused: readonly string[]): void {
  const readFromHost = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const data = backend.tensorMap.get(dataId);
    if (data.values != null || data.resource === null || data.dtype === "complex64") return readFromHost(dataId);
    const bytes = readBuffer(backend, events, data.resource);
    if (refused.length > 0) throw refusal(at(refused, 0));
    data.values = typedArrayOf(bytes, data.dtype);
    return data.values;
  };
}

function readBuffer(backend: WebgpuBackend, events: DawnEvents, buffer: GpuBuffer): ArrayBuffer {
  const staging = backend.bufferManager.acquireBuffer(buffer.size, COPY_DST | MAP_READ);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.commandEncoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  backend.submitQueue();
  let problem: unknown = null;
  staging.mapAsync(READ).catch((error: unknown) => {
    problem = error;
  });
  events.waitUntil(() => staging.mapState !== "pending");
  if (staging.mapState !== "mapped") {
    throw new BackendError("The GPU stopped answering. Its memory may be full: lower train.batchSize.", {
      backend: "webgpu",
      problem: String(problem),
    });
  }
  const bytes = staging.getMappedRange().slice(0);
  staging.unmap();
  backend.bufferManager.releaseBuffer(staging);
  return bytes;
}

function typedArrayOf(bytes: ArrayBuffer, dtype: string): Float32Array | Int32Array | Uint8Array {
  switch (dtype) {
    case "int32":
      return new Int32Array(bytes);
    case "bool":
      return Uint8Array.from(new Int32Array(bytes));
    default:
      return new Float32Array(bytes);
  }
}

function refusal(message: string): BackendError {
  const [first = ""] = message.split("\n");
  return new BackendError(
    `The GPU refused a computation, so nothing that was computed since is to be trusted: ${first}. Lower train.batchSize if it is about size, or use --backend wasm.`,
    { backend: "webgpu", message },
  );
}

function noAdapter(): BackendError {
  const install =
    process.platform === "linux"
      ? "Install the Vulkan driver of your GPU (mesa-vulkan-drivers, or NVIDIA's) and libvulkan1"
      : "Update the driver of your GPU";
  return new BackendError(`The webgpu backend finds no GPU with a driver. ${install}, or use --backend wasm.`, {
    backend: "webgpu",
  });
}

function numbered(device: Device): BackendError {
  return new BackendError(
    `WebGPU does not number its GPUs, and takes the fastest: ${deviceName(device)} cannot be asked for. Use --device gpu.`,
    { backend: "webgpu", device: deviceName(device) },
  );
}

function otherDawn(version: string): BackendError {
  return new BackendError(
    `The package webgpu ${version} works otherwise than the versions 0.6 that dnn-cool knows. Install one of them with: npm i webgpu@0.6`,
    { backend: "webgpu", version },
  );
}
