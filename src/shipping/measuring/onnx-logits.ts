/** @file An exported model in ONNX Runtime on rows of a dataset: the logits of every task, as the engine keeps them. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { at, i32At } from "../../arrays.js";
import { batchesOf, tokenLengths } from "../../data/batches.js";
import type { InputSource } from "../../data/dataset.js";
import {
  loadOnnxRuntime,
  type OnnxRuntime,
  type OnnxSession,
  openSession,
} from "../../engine/model/pretrained/onnx-runtime.js";
import { InterruptedError, StoreError } from "../../errors.js";
import { axisOf, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { behaviourOf, isSummarized, type Labels, scoringOf, summarize } from "../../tasks/index.js";
import { anyValues, signatureValues } from "./signature-values.js";

/** Rows that pass the model together; in 8 bits the range of a batch is that of all its rows. */
export const BATCH_ROWS = 64;

/** What is asked of a model. */
export interface AskedRows {
  readonly graph: FlowGraph;
  readonly inputs: Readonly<Record<string, InputSource>>;
  /** Rows of the inputs. */
  readonly rows: Int32Array;
  /** Labels of these rows, for what is said about answers beside them. */
  readonly labels: readonly Labels[];
  readonly projectDir: string | null;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * @param model bytes of the ONNX model
 * @returns per task of the graph, [rows, logits], or [tokens, logits] without padding; a summary where it is kept
 * @throws BackendError where onnxruntime-node is not installed
 */
export async function onnxLogits(model: Uint8Array, asked: AskedRows): Promise<Float32Array[]> {
  const runtime = loadOnnxRuntime(asked.projectDir);
  const session = await openSession(runtime, model, "of this export");
  try {
    return await logitsOf(runtime, session, asked);
  } finally {
    await session.release();
  }
}

async function logitsOf(runtime: OnnxRuntime, session: OnnxSession, asked: AskedRows): Promise<Float32Array[]> {
  const { graph, inputs, rows, signal, onProgress } = asked;
  const answered = graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
  const lengths = rowLengths(inputs, rows);
  const pieces = new Map(answered.map(({ path }) => [path, new Array<Float32Array>(rows.length)]));
  let done = 0;
  for (const batch of evenBatches(lengths, rows.length)) {
    if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const feeds = feedsOf(
      runtime,
      session,
      inputs,
      Int32Array.from(batch, (i) => i32At(rows, i)),
    );
    const outputs = await session.run(
      feeds,
      answered.map(({ path }) => `${path}/logits`),
    );
    for (const task of answered) {
      const output = outputs[`${task.path}/logits`];
      if (output === undefined) throw missingOutput(task);
      const own = pieces.get(task.path);
      const numbers = output.data.length / batch.length;
      batch.forEach((row, i) => {
        const all = Float32Array.from({ length: numbers }, (_, k) => at(output.data, i * numbers + k));
        // what is as long as nothing was padded to one token
        const isEmpty = axisOf(task.spec) === "token" && lengths !== null && i32At(lengths, row) === 0;
        if (own !== undefined) own[row] = isEmpty ? new Float32Array(0) : all;
      });
    }
    done += batch.length;
    onProgress?.(done, rows.length);
    await eventLoop();
  }
  return graph.tasks.map(({ path, spec, index }) => {
    const logits = joined(pieces.get(path) ?? []);
    return isSummarized(spec) ? summaries(spec, logits, at(asked.labels, index)) : logits;
  });
}

function missingOutput({ path }: TaskNode): StoreError {
  return new StoreError(`The exported model does not put out "${path}/logits". Export the run again.`, { task: path });
}

function feedsOf(
  { Tensor }: OnnxRuntime,
  { inputMetadata }: OnnxSession,
  inputs: AskedRows["inputs"],
  rows: Int32Array,
): Record<string, unknown> {
  return Object.fromEntries(
    inputMetadata.map(({ name, shape = [] }) => {
      const source = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      const { data, dims } =
        source === undefined
          ? anyValues(shape, rows.length)
          : signatureValues(source.spec, source.read(rows), rows.length);
      const type = data instanceof Uint8Array ? "uint8" : data instanceof Int32Array ? "int32" : "float32";
      return [name, new Tensor(type, data, dims)] as const;
    }),
  );
}

/** Tokens of each row; null where there are no inputs of tokens. */
function rowLengths(inputs: AskedRows["inputs"], rows: Int32Array): Int32Array | null {
  const all = tokenLengths(inputs);
  if (all.length === 0) return null;
  return rows.map((row) => Math.max(...all.map((lengths) => i32At(lengths, row))));
}

/** Places among the rows, in batches of rows of one length, so that nothing is padded. */
function evenBatches(lengths: Int32Array | null, count: number): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const length = lengths === null ? 0 : i32At(lengths, row);
    const group = groups.get(length);
    if (group === undefined) groups.set(length, [row]);
    else group.push(row);
  }
  return [...groups.values()].flatMap((group) => batchesOf(Int32Array.from(group), BATCH_ROWS));
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const piece of pieces) {
    all.set(piece, to);
    to += piece.length;
  }
  return all;
}

function summaries(spec: Parameters<typeof summarize>[0], data: Float32Array, labels: Labels): Float32Array {
  const width = scoringOf(spec).logitWidth(spec);
  const stride = behaviourOf(spec).logitWidth(spec);
  const kept = new Float32Array((data.length / stride) * width);
  for (let entry = 0; entry * stride < data.length; entry++) {
    summarize(spec, { data, stride, offset: 0 }, labels, entry, kept, entry * width);
  }
  return kept;
}
