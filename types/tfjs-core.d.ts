/**
 * @file What the published declarations need of @tensorflow/tfjs-core 4.22, whose own declarations do not compile with
 * `skipLibCheck: false`; test/types/declarations.ts compares them with the real ones.
 */

export type DataType = "float32" | "int32" | "bool" | "complex64" | "string";

/** Numbers on a backend; they are freed with `dispose`. */
export interface Tensor {
  readonly id: number;
  readonly shape: number[];
  readonly size: number;
  readonly dtype: DataType;
  readonly rank: number;
  readonly isDisposed: boolean;
  data(): Promise<Float32Array | Int32Array | Uint8Array>;
  dataSync(): Float32Array | Int32Array | Uint8Array;
  array(): Promise<unknown>;
  arraySync(): unknown;
  dispose(): void;
}

export type Scalar = Tensor;
export type Tensor1D = Tensor;
export type Tensor2D = Tensor;
export type Tensor3D = Tensor;
export type Tensor4D = Tensor;
export type NamedTensorMap = { [name: string]: Tensor };

export interface Variable extends Tensor {
  name: string;
  trainable: boolean;
}

export declare function tidy<T>(work: () => T): T;
