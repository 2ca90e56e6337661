/** @file What operators of TensorFlow read while a model is translated. */
import type { Attribute, Output } from "../../engine/step-graph/graph-def.js";

/** A value of the translated model. */
export interface Operand {
  readonly output: Output;
  readonly dtype: number;
  /** Of a constant: its numbers; int64 as BigInt64Array. */
  readonly numbers: Float32Array | Int32Array | BigInt64Array | null;
  /** Of a constant. */
  readonly shape?: readonly number[];
}

/** An operator with its settings. */
export interface OperatorNode {
  /** One that is left out is of no output. */
  readonly inputs: readonly Operand[];
  integer(name: string, fallback: number): number;
  integers(name: string): readonly number[];
  float(name: string, fallback: number): number;
  text(name: string): string;
}

export function typeOf(dtype: number): Attribute {
  return { type: dtype };
}

/** Numbers of a constant. @throws Error where the writer of ONNX gave a computed value for one */
export function int64s({ numbers }: Operand): number[] {
  if (numbers === null) throw new Error("an operator's setting is computed");
  return Array.from(numbers, Number);
}

/** int64 numbers as the pairs of int32 that constants are given. */
export function int32s(values: readonly number[]): Int32Array {
  return new Int32Array(BigInt64Array.from(values, BigInt).buffer);
}
