/** @file tfjs-node's backend and its native binding, as far as they are used here. */
import * as tf from "@tensorflow/tfjs-core";

/** Number of a tensor in the native library. */
export type TensorId = number;

export interface TensorMetadata {
  readonly id: TensorId;
  readonly shape: readonly number[];
  /** Of TensorFlow's enum `DataType`. */
  readonly dtype: number;
}

export interface OpAttribute {
  readonly name: string;
  /** One of the binding's `TF_ATTR_…`. */
  readonly type: number;
  readonly value: unknown;
}

export type TensorValues = Float32Array | Int32Array | Uint8Array;

export interface Binding {
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  /** The values are shared with the tensor, not copied, where they are aligned. */
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): TensorId;
  deleteTensor(id: TensorId): void;
  tensorDataSync(id: TensorId): TensorValues;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorId[],
    outputs: number,
  ): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  /** @param inputNames, outputNames as `node:index`, joined with commas */
  runSavedModel(model: number, inputs: readonly TensorId[], inputNames: string, outputNames: string): TensorMetadata[];
  deleteSavedModel(model: number): void;
}

/** `NodeJSKernelBackend` of tfjs-node. */
export interface TensorflowBackend {
  binding: Binding;
  readonly isUsingGpuDevice: boolean;
  /** Ids of these tensors, which are made native where they were not yet. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): TensorId[];
}

/** The active backend, where it is TensorFlow's. */
export function tensorflowBackend(): TensorflowBackend | null {
  return tf.getBackend() === "tensorflow" ? (tf.backend() as unknown as TensorflowBackend) : null;
}
