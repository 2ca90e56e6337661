/** @file Einsum as one matrix product, and its gradient as two more einsums. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  backend_util,
  Einsum,
  type EinsumAttrs,
  einsum,
  type GradConfig,
  mul,
  ones,
  reshape,
  type Tensor,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { at } from "../../../../arrays.js";
import { dispose, type KernelCall, runKernel, viewAs, wasmKernel } from "./kernel.js";

/** An operand with the names of its axes; its data belongs to whoever made it. */
interface Named {
  readonly tensor: TensorInfo;
  readonly axes: readonly number[];
}

/** Sums of products over named axes. */
export const einsumKernel = wasmKernel<readonly TensorInfo[], EinsumAttrs>(Einsum, runEinsum);

/** One or two tensors, as tfjs-core's `einsum` allows; axes are summed, transposed and multiplied as matrices. */
function runEinsum({ inputs, attrs, backend }: KernelCall<readonly TensorInfo[], EinsumAttrs>): TensorInfo {
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(attrs.equation, inputs.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, inputs as Tensor[]);
  // all names of the output come first, in their order
  const outAxes = allDims.map((_, axis) => axis).filter((axis) => !summedDims.includes(axis));
  const [first, second] = inputs.map((tensor, i) => ({ tensor, axes: at(idDims, i) }));
  if (first === undefined) throw new RangeError("einsum of no tensors");
  if (second === undefined) return reduceTo(backend, first, outAxes);
  return product(backend, first, second, outAxes);
}

/** Sums over the axes that are not in `axes` and puts the others in that order; the result belongs to the caller. */
function reduceTo(backend: BackendWasm, x: Named, axes: readonly number[]): TensorInfo {
  const kept = x.axes.filter((axis) => axes.includes(axis));
  const summed = x.axes.flatMap((axis, position) => (axes.includes(axis) ? [] : [position]));
  const sum =
    summed.length === 0
      ? runKernel(backend, "Identity", { x: x.tensor })
      : runKernel(backend, "Sum", { x: x.tensor }, { axis: summed, keepDims: false });
  const perm = axes.map((axis) => kept.indexOf(axis));
  const out = runKernel(backend, "Transpose", { x: sum }, { perm });
  dispose(backend, sum);
  return out;
}

/** As [batch, rows, inner] times [batch, inner, columns]. */
function product(backend: BackendWasm, a: Named, b: Named, outAxes: readonly number[]): TensorInfo {
  const inOut = (axis: number) => outAxes.includes(axis);
  const shared = a.axes.filter((axis) => b.axes.includes(axis));
  const batch = shared.filter(inOut);
  const inner = shared.filter((axis) => !inOut(axis));
  const rows = a.axes.filter((axis) => inOut(axis) && !shared.includes(axis));
  const columns = b.axes.filter((axis) => inOut(axis) && !shared.includes(axis));
  const size = sizes(a, b);
  const volume = (axes: readonly number[]) => axes.reduce((all, axis) => all * size(axis), 1);

  const left = reduceTo(backend, a, [...batch, ...rows, ...inner]);
  const right = reduceTo(backend, b, [...batch, ...inner, ...columns]);
  const matrices = runKernel(
    backend,
    "BatchMatMul",
    {
      a: viewAs(left, [volume(batch), volume(rows), volume(inner)]),
      b: viewAs(right, [volume(batch), volume(inner), volume(columns)]),
    },
    { transposeA: false, transposeB: false },
  );
  const axes = [...batch, ...rows, ...columns];
  const out = reduceTo(backend, { tensor: viewAs(matrices, axes.map(size)), axes }, outAxes);
  dispose(backend, left, right, matrices);
  return out;
}

function sizes(...operands: readonly Named[]): (axis: number) => number {
  const byAxis = new Map(operands.flatMap(({ tensor, axes }) => axes.map((axis, i) => [axis, tensor.shape[i]])));
  return (axis) => byAxis.get(axis) as number;
}

/**
 * The gradient by one operand is the einsum of dy and the other operand, with the equation's terms exchanged; an
 * axis that only this operand has is repeated. tfjs-core has none.
 */
export const einsumGradient: GradConfig = {
  kernelName: Einsum,
  saveAllInputs: true,
  gradFunc: (dy, saved, attrs) => {
    const { equation } = attrs as unknown as EinsumAttrs;
    const [terms, out] = equation.replaceAll(" ", "").split("->") as [string, string];
    const names = terms.split(",");
    const byOperand = (_: Tensor, i: number) => [String(i), () => operandGradient(dy as Tensor, out, saved, names, i)];
    return Object.fromEntries(saved.map(byOperand));
  },
};

function operandGradient(
  dy: Tensor,
  out: string,
  operands: readonly Tensor[],
  names: readonly string[],
  which: number,
): Tensor {
  const name = at(names, which);
  const operand = at(operands, which);
  const otherName = names[1 - which];
  const other = operands[1 - which];
  const known = `${out}${otherName ?? ""}`;
  const reached = [...name].filter((axis) => known.includes(axis)).join("");
  const gradient =
    otherName === undefined || other === undefined
      ? einsum(`${out}->${reached}`, dy)
      : einsum(`${out},${otherName}->${reached}`, dy, other);
  if (reached === name) return gradient;
  const keptShape = [...name].map((axis, i) => (reached.includes(axis) ? (operand.shape[i] as number) : 1));
  return mul(reshape(gradient, keptShape), ones(operand.shape));
}
