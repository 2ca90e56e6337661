/**
 * @file The ops of a large batch from those of two small ones: what a step computes is recorded at a few rows, and of the
 * whole batch only the shapes are told, so that recording takes no memory for its activations.
 */
import { at } from "../../arrays.js";
import { CoolError } from "../../errors.js";
import type { Binding, TensorMetadata } from "../backends/tensorflow/binding.js";
import { UntraceableError } from "./untraceable.js";

/** How ops are computed while they are recorded. */
export type MakeCompute = (binding: Binding) => Binding["executeOp"];

/** Ops as the library computes them. */
export const computeByLibrary: MakeCompute = (binding) => binding.executeOp.bind(binding);

/** An op of the recording, with what it put out. */
interface DoneOp {
  readonly name: string;
  readonly results: readonly TensorMetadata[];
}

/** Ops in their order, at one number of rows. */
interface OpTrail {
  readonly rows: number;
  readonly ops: readonly DoneOp[];
}

/** The larger one is checked against the library; none is 1, with which tensors broadcast. */
export const FEW_ROWS = { first: 2, last: 3 } as const;

/** Of fewer rows not much is saved. */
const WORTH_PREDICTING = 2 * FEW_ROWS.last;

/** Shapes do not follow from those of a few rows: everything has to be computed. */
class UnpredictableError extends Error {}

/**
 * Records what is needed of a batch.
 * @param rows of the batch
 * @param recordFew records the first of its rows with the library, twice: `FEW_ROWS.first`, then `FEW_ROWS.last`
 * @param record records the batch itself; `isPredicted` says whether anything is computed
 */
export function recordByFew<T>(
  rows: number,
  recordFew: (rows: number, compute: MakeCompute) => void,
  record: (compute: MakeCompute, isPredicted: boolean) => T,
): T {
  if (rows < WORTH_PREDICTING) return record(computeByLibrary, false);
  try {
    const [first, last] = [FEW_ROWS.first, FEW_ROWS.last].map((few): OpTrail => {
      const ops: DoneOp[] = [];
      recordFew(few, keepOps(ops));
      return { rows: few, ops };
    });
    return record(predictOps(first as OpTrail, last as OpTrail, rows), true);
  } catch (error) {
    // what keeps a few rows from becoming a graph does so with all
    if (error instanceof UntraceableError || error instanceof CoolError) throw error;
    // such as a layer that is made for one size of a batch
    return record(computeByLibrary, false);
  }
}

function keepOps(ops: DoneOp[]): MakeCompute {
  return (binding) =>
    (...op) => {
      const results = binding.executeOp(...op);
      ops.push({ name: op[0], results: results.map(({ id, dtype, shape }) => ({ id, dtype, shape: [...shape] })) });
      return results;
    };
}

/**
 * Computes nothing: what comes out has a shape, and a number below 0, which stands for no tensor of the library and is
 * never deleted there.
 */
function predictOps(first: OpTrail, last: OpTrail, rows: number): MakeCompute {
  if (first.ops.length !== last.ops.length) throw new UnpredictableError();
  let next = 0;
  // tfjs-node has −1 for tensors whose values are with JavaScript
  let id = -2;
  return () => (name, _attributes, _inputs, count) => {
    const [one, other] = [first.ops[next], last.ops[next]];
    next += 1;
    if (one?.name !== name || other?.name !== name) throw new UnpredictableError();
    if (one.results.length !== count || other.results.length !== count) throw new UnpredictableError();
    return one.results.map(({ dtype, shape }, i): TensorMetadata => {
      const far = at(other.results, i);
      if (far.dtype !== dtype || far.shape.length !== shape.length) throw new UnpredictableError();
      const sizes = shape.map((size, axis) => predictSize([size, first.rows], [at(far.shape, axis), last.rows], rows));
      return { id: id--, dtype, shape: sizes };
    });
  };
}

type Sized = readonly [size: number, rows: number];

/** A size is the same for any number of rows, or so many times their number; two sizes that fit either leave no third. */
export function predictSize([size, few]: Sized, [far, more]: Sized, rows: number): number {
  if (size === far) return size;
  const times = size / few;
  if (!Number.isInteger(times) || times * more !== far) throw new UnpredictableError();
  return times * rows;
}
