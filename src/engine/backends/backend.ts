/** @file What a compute backend of tfjs offers to the choice between them. */
import type { Device, DeviceKind } from "./device.js";

/** A backend that is ready. */
export interface OpenedBackend {
  /** Version of the npm package that computes. */
  readonly version: string;
  /** What it computes on, in a few words: "TensorFlow 2.9.1 on the CPU". */
  readonly device: string;
  readonly threads: number;
}

/** What is asked of a backend. */
export interface BackendRequest {
  /** What it must compute on; default: the best there is. */
  readonly device?: Device | null;
  /** Folder in whose `node_modules` a package of a backend may lie; default: none. */
  readonly projectDir?: string;
}

export interface Backend {
  /** Kinds of device that it can compute on. */
  readonly devices: readonly DeviceKind[];
  /**
   * Why `auto` does not try this backend here, to follow its name in a sentence; null where it should. Looks without
   * loading anything large. Backends without it are always tried.
   */
  passedOver?(request: BackendRequest): Promise<string | null>;
  /**
   * Loads it into tfjs under its name.
   * @throws BackendError with the way out
   */
  open(request: BackendRequest): Promise<OpenedBackend>;
}

/** tfjs-core with the tensor methods that its Node bundle leaves out. */
export async function prepareCore(): Promise<typeof import("@tensorflow/tfjs-core")> {
  const tf = await import("@tensorflow/tfjs-core");
  const { addTensorMethods } = await import("./tensor-methods.js");
  addTensorMethods();
  return tf;
}
