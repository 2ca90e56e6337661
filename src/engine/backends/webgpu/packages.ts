/** @file Finds the two optional packages of the webgpu backend: Dawn, and tfjs's kernels for it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { BackendError } from "../../../errors.js";
import { findPackage, type InstalledPackage } from "../../../platform/optional-package.js";

type Core = typeof import("@tensorflow/tfjs-core");

/** Dawn as a Node addon. */
const DAWN = "webgpu";
const KERNELS = "@tensorflow/tfjs-backend-webgpu";

export interface WebgpuPackages {
  readonly dawn: InstalledPackage;
  readonly kernels: InstalledPackage;
}

/** The project's own packages, then those beside dnn-cool; null unless both are there. */
export function findWebgpuPackages(projectDir?: string): WebgpuPackages | null {
  const [dawn, kernels] = [findPackage(DAWN, projectDir ?? null), findPackage(KERNELS, projectDir ?? null)];
  return dawn === null || kernels === null ? null : { dawn, kernels };
}

/** What Dawn's addon offers. */
export interface Dawn {
  /** @param options such as `backend=vulkan` */
  create(options: readonly string[]): GpuEntry;
  /** `GPUBufferUsage` and the like, which a browser has as globals. */
  readonly globals: Readonly<Record<string, unknown>>;
}

/** What a browser has as `navigator.gpu`. */
export interface GpuEntry {
  requestAdapter(options: { readonly powerPreference: "high-performance" }): Promise<GpuAdapter | null>;
}

export interface GpuAdapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(descriptor: { readonly requiredLimits: Readonly<Record<string, number>> }): Promise<GpuDevice>;
}

export interface GpuDevice {
  addEventListener(
    type: "uncapturederror",
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ): void;
}

export interface GpuBuffer {
  readonly size: number;
  readonly mapState: "unmapped" | "pending" | "mapped";
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
}

interface StoredTensor {
  readonly dtype: string;
  /** null where the numbers are on the GPU alone. */
  values: Float32Array | Int32Array | Uint8Array | null;
  readonly resource: GpuBuffer | null;
}

/** What of tfjs's WebGPU backend is used beyond the interface of backends. */
export interface WebgpuBackend extends InstanceType<Core["KernelBackend"]> {
  readonly tensorMap: { get(dataId: object): StoredTensor };
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): GpuBuffer;
    releaseBuffer(buffer: GpuBuffer): void;
  };
  readonly commandEncoder: {
    copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  runWebGPUProgram(
    program: WebgpuProgram,
    inputs: readonly TensorInfo[],
    dtype: "float32" | "int32",
    uniforms: readonly { readonly type: "int32" | "float32"; readonly data: readonly number[] }[],
  ): TensorInfo;
}

/** A compute shader as tfjs assembles it: `getUserCode` is the `main` that it calls for each output. */
export interface WebgpuProgram {
  readonly variableNames: readonly string[];
  /** Fields of the uniform buffer that follow those of tfjs. */
  readonly uniforms: string;
  readonly workgroupSize: readonly [number, number, number];
  /** Whether `uniforms.size` holds the number of outputs. */
  readonly size: boolean;
  readonly outputShape: readonly number[];
  /** Axes of the output along each axis of the dispatch. */
  readonly dispatchLayout: { readonly x: readonly number[] };
  readonly dispatch: readonly [number, number, number];
  /** Programs of the same key share their compiled code. */
  readonly shaderKey: string;
  getUserCode(): string;
}

interface WebgpuKernels {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapter["info"]) => WebgpuBackend;
}

/** @throws BackendError where the addon does not fit this machine */
export async function loadDawn({ dawn }: WebgpuPackages): Promise<Dawn> {
  try {
    return (await import(pathToFileURL(dawn.entry).href)) as Dawn;
  } catch (error) {
    const { message } = error as Error;
    throw new BackendError(
      `The package webgpu ${dawn.version} does not load: ${message}. Install it again, or use --backend wasm.`,
      { backend: "webgpu", version: dawn.version },
      { cause: error },
    );
  }
}

/**
 * Loads tfjs's WebGPU kernels into the given tfjs-core: beside the package there may lie another one, whose tensors
 * and backends ours does not know.
 */
export function loadKernels({ kernels }: WebgpuPackages, tf: Core): WebgpuKernels {
  const native = createRequire(kernels.entry);
  const require = (request: string): unknown => (request === "@tensorflow/tfjs-core" ? tf : native(request));
  const module = { exports: {} };
  const body = compileFunction(readFileSync(kernels.entry, "utf8"), ["exports", "require", "module"], {
    filename: kernels.entry,
  });
  body(module.exports, require, module);
  return module.exports as WebgpuKernels;
}
