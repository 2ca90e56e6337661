/** @file A network that ONNX Runtime computes, asked like any other: logits of every task that a network answers. */
import { readFileSync, statSync } from "node:fs";
import { at } from "../../../arrays.js";
import type { InputSpec } from "../../../data/dataset.js";
import { ConfigError, UnknownNameError } from "../../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../../flow/graph.js";
import { onlyOutputs } from "../../../protobuf/onnx-outputs.js";
import { behaviourOf } from "../../../tasks/index.js";
import { outputsOfBatch } from "../../batches/outputs.js";
import type { InputBatch } from "../../model/input-batch.js";
import { type HeadLayout, layOutHeads, type LogitValues, type NetworkForm } from "../../model/layout.js";
import {
  cannotRun,
  type OnnxRuntime,
  type OnnxSession,
  type OnnxTensor,
  type SessionNeeds,
  withSession,
} from "../../model/pretrained/onnx-runtime.js";
import type { PreprocessingInput } from "../../model/pretrained/preprocessing.js";
import type { BatchAnswerer, BatchAnswers, BatchLabels } from "../answer-batches.js";
import { type Entrance, entrancesOf, fixedRows } from "./feeds.js";

/** What a model is opened for. */
export interface OnnxNetworkNeeds extends SessionNeeds {
  readonly graph: FlowGraph;
  /** The declared inputs, as their values are read. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Names of its inputs by declared input, where they differ. */
  readonly inputNames?: Readonly<Record<string, string>>;
  /** Names of its outputs by path of task; default `<path>/logits`. */
  readonly outputNames?: Readonly<Record<string, string>>;
  /** What becomes of pixels where it takes them as floats; default: 0 to 1. */
  readonly preprocessing?: PreprocessingInput;
}

/** A task that a model answers, and by which of its outputs. */
interface AnsweredTask {
  readonly task: TaskNode;
  readonly output: string;
}

/** The tasks that a network answers, in the order of the graph. */
function answeredTasks({ tasks }: FlowGraph): readonly TaskNode[] {
  return tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
}

/**
 * Opens a model and asks it once, so that what does not fit is found here.
 * @throws BackendError where ONNX Runtime is not installed; ConfigError, UnknownNameError for a file that is no model, or
 * whose inputs or outputs are not those of the flow
 */
export function openOnnxNetwork(needs: OnnxNetworkNeeds): Promise<OnnxNetwork> {
  const { model, graph, inputs } = needs;
  return withSession({ ...needs, bytes: networkAlone(needs) }, async (runtime, session) => {
    const entrances = entrancesOf(session.inputMetadata, {
      ...{ model, inputs, names: needs.inputNames ?? {}, preprocessing: needs.preprocessing ?? {} },
      beside: besideNames(graph, inputs),
    });
    const answered = outputsOf(session, needs);
    const network = new OnnxNetwork(needs, { runtime, session, entrances, answered });
    await network.probe();
    return network;
  });
}

/** Beside larger networks it is nothing what else a model computes, and their bytes are not held twice. */
const MOST_BYTES = 2 ** 28;

/** The model without what follows from its logits, which is not asked for; undefined: its file as it is. */
function networkAlone(needs: OnnxNetworkNeeds): Uint8Array | undefined {
  const { file, graph } = needs;
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || stats.size > MOST_BYTES) return undefined;
  return (
    onlyOutputs(readFileSync(file), new Set(answeredTasks(graph).map((task) => outputOf(task, needs)))) ?? undefined
  );
}

function outputOf({ path }: TaskNode, { outputNames = {} }: Pick<OnnxNetworkNeeds, "outputNames">): string {
  return outputNames[path] ?? `${path}/logits`;
}

/** Inputs of an exported model beside the declared ones; logits do not hang on them. */
function besideNames({ tasks }: FlowGraph, inputs: OnnxNetworkNeeds["inputs"]): string[] {
  const known = tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "table").map(({ path }) => path);
  const pictures = Object.entries(inputs).filter(([, { kind }]) => kind === "image");
  return [...known, ...pictures.flatMap(([name]) => [`${name}/size`, `${name}/frame`])];
}

function outputsOf({ outputMetadata }: OnnxSession, { graph, outputNames = {}, model }: OnnxNetworkNeeds) {
  const known = outputMetadata.map(({ name }) => name);
  return answeredTasks(graph).map((task): AnsweredTask => {
    const output = outputOf(task, { outputNames });
    if (known.includes(output)) return { task, output };
    if (outputNames[task.path] !== undefined) throw new UnknownNameError("output", output, known, `the model ${model}`);
    throw new ConfigError(
      `The model ${model} has no output "${output}" for the task "${task.path}"; it puts out ${known.map((name) => `"${name}"`).join(", ")}. Name its outputs so, or say which it is: --output ${task.path}=${known[0] ?? "NAME"}.`,
      { model, task: task.path, output, known },
    );
  });
}

interface OpenParts {
  readonly runtime: OnnxRuntime;
  readonly session: OnnxSession;
  readonly entrances: ReadonlyMap<string, Entrance>;
  readonly answered: readonly AnsweredTask[];
}

/** Owns its session: `release` ends it. */
export class OnnxNetwork implements NetworkForm, BatchAnswerer {
  readonly graph: FlowGraph;
  readonly layout: HeadLayout;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Its runtime uses all cores for one batch. */
  readonly parallel = 1;
  readonly #model: string;
  readonly #parts: OpenParts;
  readonly #fixedRows: number | null;

  constructor({ graph, inputs, model }: OnnxNetworkNeeds, parts: OpenParts) {
    this.graph = graph;
    this.inputs = inputs;
    this.layout = layOutHeads(graph);
    this.#model = model;
    this.#parts = parts;
    this.#fixedRows = fixedRows(parts.session.inputMetadata);
  }

  /** Asks it about one row of nothing. @throws ConfigError where what comes is not one logit for each that the flow has */
  async probe(): Promise<void> {
    const nothing = Object.fromEntries(Object.entries(this.inputs).map(([name, spec]) => [name, blank(spec)] as const));
    await this.#logits(nothing, 1);
  }

  async answer(inputs: InputBatch, rows: number, labels: BatchLabels | null): Promise<BatchAnswers> {
    const logits = await this.#logits(inputs, rows);
    return { ...outputsOfBatch(this, logits, inputs, rows, labels), guessed: null };
  }

  async #logits(inputs: InputBatch, rows: number): Promise<LogitValues> {
    const step = this.#fixedRows ?? rows;
    const parts: Float32Array[][] = [];
    for (let first = 0; first < rows; first += step) {
      const some = Math.min(step, rows - first);
      parts.push(await this.#run(rowsOf(inputs, rows, first, step), step, some));
    }
    const { layout } = this;
    const tokens = this.#padded(inputs, rows);
    const sample = new Float32Array(rows * layout.width);
    const token = new Float32Array(rows * tokens * layout.tokenWidth);
    this.#parts.answered.forEach(({ task }, i) => {
      const { axis, offset, width } = at(layout.columns, task.index);
      const [matrix, stride] = axis === "token" ? [token, layout.tokenWidth] : [sample, layout.width];
      let entry = 0;
      for (const part of parts) {
        const values = at(part, i);
        for (let from = 0; from < values.length; from += width, entry++) {
          matrix.set(values.subarray(from, from + width), entry * stride + offset);
        }
      }
    });
    return { sample, token, masked: new Float32Array(0) };
  }

  /** Tokens of each row with its padding; 0 where there are none. */
  #padded(inputs: InputBatch, rows: number): number {
    const name = Object.keys(this.inputs).find((key) => this.inputs[key]?.kind === "tokens");
    return name === undefined ? 0 : (inputs[name]?.length ?? 0) / Math.max(1, rows);
  }

  /**
   * Logits of each answered task.
   * @param rows that are fed, the last ones blank where the model takes a fixed number
   * @param kept of them
   */
  async #run(inputs: InputBatch, rows: number, kept: number): Promise<Float32Array[]> {
    const { runtime, session, entrances, answered } = this.#parts;
    const feeds = [...entrances].map(([name, { input, feed }]) => {
      const { type, data, dims } = feed(input === null ? NONE : (inputs[input] ?? NONE), rows);
      return [name, new runtime.Tensor(type, data, dims)] as const;
    });
    const wanted = [...new Set(answered.map(({ output }) => output))];
    const results = await this.#ask(() => session.run(Object.fromEntries(feeds), wanted));
    const tokens = this.#padded(inputs, rows);
    return answered.map(({ task, output }) => {
      const entries = isPerElement(task.spec) ? tokens : 1;
      return this.#taken(task, output, results[output], { rows, kept, entries });
    });
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw cannotRun(this.#model, error);
    }
  }

  #taken(
    { path, spec }: TaskNode,
    output: string,
    tensor: OnnxTensor | undefined,
    { rows, kept, entries }: { readonly rows: number; readonly kept: number; readonly entries: number },
  ): Float32Array {
    const width = behaviourOf(spec).logitWidth(spec);
    const [data, expected] = [tensor?.data ?? NONE, rows * entries * width];
    // that the numbers are as many is not enough: [3, rows] is not [rows, 3]
    const fits = tensor !== undefined && tensor.type === "float32" && data.length === expected;
    if (fits && (tensor.dims[0] === rows || expected === 0)) {
      return new Float32Array(data).subarray(0, kept * entries * width);
    }
    const got = tensor === undefined ? "nothing" : `${tensor.type} [${tensor.dims.join(", ")}]`;
    const wanted = entries === 1 ? `[${rows}, ${width}]` : `[${rows}, ${entries}, ${width}]`;
    throw new ConfigError(
      `The output "${output}" of the model ${this.#model} is ${got} for ${rows} ${rows === 1 ? "row" : "rows"}, and the task "${path}" has ${width} ${width === 1 ? "logit" : "logits"}: float32 ${wanted}. Name another output with --output ${path}=NAME, or correct the flow.`,
      { model: this.#model, task: path, output, got, expected: wanted },
    );
  }

  async release(): Promise<void> {
    await this.#parts.session.release();
  }
}

const NONE = new Float32Array(0);

/** One row of an input. */
function blank(spec: InputSpec): InputBatch[string] {
  switch (spec.kind) {
    case "image":
      return new Uint8Array(spec.size[0] * spec.size[1] * spec.channels);
    case "numeric":
      return new Float32Array(spec.listLength ?? spec.columns.length);
    case "categorical":
      return spec.encoding === "index" ? Int32Array.of(1) : new Float32Array(spec.categories.length);
    case "tokens":
      return Int32Array.of(1, 1, 1);
    default:
      return spec satisfies never;
  }
}

/** Some rows of a batch, blank where it ends before. */
function rowsOf(inputs: InputBatch, rows: number, first: number, count: number): InputBatch {
  if (first === 0 && count === rows) return inputs;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => {
      const width = values.length / rows;
      const part = values.slice(first * width, (first + count) * width);
      const padded = new (part.constructor as new (length: number) => typeof part)(count * width);
      padded.set(part);
      return [name, padded];
    }),
  );
}
