/** @file The decoders of each kind of task as ONNX operators: what src/decoding/decoders.ts does with numbers. */
import { at } from "../../arrays.js";
import { statisticsOf } from "../../decoding/decoders.js";
import type { BoxSpec, PointSpec, SpecOf, TaskKind, TaskNode, TaskSpec } from "../../flow/graph.js";
import { isPerElement } from "../../flow/graph.js";
import type { Thresholds } from "../../tasks/index.js";
import type { OnnxGraph } from "./graph.js";
import type { Entrances } from "./signature.js";
import { reduce } from "./values.js";

/** Answers of one task as tensors. */
export interface Decoded {
  /** [batch, logits], or [batch, length, logits]; null where the network is not asked. */
  readonly activated: string | null;
  /** The same with the numbers of an answer; null where only code of a project decodes it. */
  readonly decoded: string | null;
  /** A number for every row, or token: [batch] or [batch, length]. */
  readonly some: string;
}

/** What a decoder reads. */
interface Task {
  /** Axis of the numbers of one answer. */
  readonly axis: number;
  readonly thresholds: Thresholds;
  readonly entrances: Entrances;
}

interface OnnxDecoder<Spec extends TaskSpec> {
  activate(graph: OnnxGraph, spec: Spec, logits: string): string;
  decode(graph: OnnxGraph, spec: Spec, activated: string, task: Task): string;
}

/** Those whose answers come with the inputs, or are decoded elsewhere. */
type Undecoded = "custom" | "known" | "maskedLanguageModeling";

const sigmoid = (graph: OnnxGraph, _spec: TaskSpec, logits: string): string => graph.op("Sigmoid", [logits]);

const toFloat = (graph: OnnxGraph, truth: string): string => graph.op("Cast", [truth], { to: 1 });

/** Of a score that is NaN nothing is known. */
function whereKnown(graph: OnnxGraph, scores: string, answer: string): string {
  return graph.op("Where", [graph.op("IsNaN", [scores]), graph.float(Number.NaN), answer]);
}

function decide(graph: OnnxGraph, scores: string, thresholds: readonly number[]): string {
  const isYes = graph.op("GreaterOrEqual", [scores, graph.floats(thresholds)]);
  return whereKnown(graph, scores, toFloat(graph, isYes));
}

/** NaN where one of the scores is. [batch, scores] → [batch, 1] */
function whereAllKnown(graph: OnnxGraph, scores: string, answer: string, axis: number): string {
  const unknown = reduce(graph, "ReduceMax", toFloat(graph, graph.op("IsNaN", [scores])), [axis]);
  const isUnknown = graph.op("Greater", [unknown, graph.float(0.5)]);
  return graph.op("Where", [isUnknown, graph.float(Number.NaN), answer]);
}

const columnOf = (graph: OnnxGraph, name: string, axis: number, i: number): string =>
  graph.op("Slice", [name, graph.int64([i]), graph.int64([i + 1]), graph.int64([axis])]);

/** Places in fractions of what the network sees → in label units. @param i 0 along the width, 1 along the height */
function inUnits(
  graph: OnnxGraph,
  { scale, framed }: BoxSpec | PointSpec,
  place: string,
  i: 0 | 1,
  { entrances }: Task,
) {
  let whole = place;
  if (framed === true && entrances.frame !== null) {
    const [start, extent] = [columnOf(graph, entrances.frame, 1, i), columnOf(graph, entrances.frame, 1, i + 2)];
    whole = graph.op("Add", [start, graph.op("Mul", [extent, place])]);
  }
  if (scale === null || entrances.size === null) return whole;
  return graph.op("Mul", [whole, columnOf(graph, entrances.size, 1, 1 - i)]);
}

const decoders: { readonly [K in Exclude<TaskKind, Undecoded>]: OnnxDecoder<SpecOf<K>> } = {
  binary: {
    activate: sigmoid,
    decode: (graph, _spec, scores, { thresholds }) => decide(graph, scores, [thresholds[0] ?? 0.5]),
  },
  classification: {
    activate: (graph, _spec, logits) => graph.op("Softmax", [logits], { axis: -1 }),
    decode(graph, _spec, scores, { axis }) {
      const best = toFloat(graph, graph.op("ArgMax", [scores], { axis, keepdims: 1 }));
      return whereAllKnown(graph, scores, best, axis);
    },
  },
  multilabel: {
    activate: sigmoid,
    decode: (graph, { labels }, scores, { thresholds }) =>
      decide(
        graph,
        scores,
        labels.map((_, i) => thresholds[i] ?? 0.5),
      ),
  },
  ordinal: {
    activate: sigmoid,
    decode(graph, _spec, scores, { axis }) {
      const above = toFloat(graph, graph.op("Greater", [scores, graph.float(0.5)]));
      return whereAllKnown(graph, scores, reduce(graph, "ReduceSum", above, [axis]), axis);
    },
  },
  boundedRegression: {
    activate: sigmoid,
    decode(graph, { min, max, scale }, fraction, { entrances }) {
      const scaled = graph.op("Mul", [fraction, graph.float(max - min)]);
      const value = min === 0 ? scaled : graph.op("Add", [scaled, graph.float(min)]);
      if (scale === null || entrances.size === null) return value;
      return graph.op("Mul", [value, columnOf(graph, entrances.size, 1, scale === "image-height" ? 0 : 1)]);
    },
  },
  regression: {
    activate: (_graph, _spec, logits) => logits,
    decode(graph, spec, standard) {
      const { mean, deviation } = statisticsOf(spec);
      return graph.op("Add", [graph.op("Mul", [standard, graph.float(deviation)]), graph.float(mean)]);
    },
  },
  point: {
    activate: sigmoid,
    decode(graph, spec, place, task) {
      const along = ([0, 1] as const).map((i) => inUnits(graph, spec, columnOf(graph, place, 1, i), i, task));
      return graph.op("Concat", along, { axis: 1 });
    },
  },
  box: {
    activate: sigmoid,
    decode(graph, spec, figure, task) {
      const half = graph.float(0.5);
      const edges = ([0, 1] as const).map((i) => {
        const [centre, size] = [columnOf(graph, figure, 1, i), columnOf(graph, figure, 1, i + 2)];
        const reach = graph.op("Mul", [size, half]);
        const ends = (["Sub", "Add"] as const).map((type) => {
          const edge = graph.op("Clip", [graph.op(type, [centre, reach]), graph.float(0), graph.float(1)]);
          return inUnits(graph, spec, edge, i, task);
        });
        return { from: at(ends, 0), to: at(ends, 1) };
      });
      return graph.op("Concat", numbersOf(graph, spec.format, at(edges, 0), at(edges, 1)), { axis: 1 });
    },
  },
};

interface Side {
  readonly from: string;
  readonly to: string;
}

function numbersOf(graph: OnnxGraph, format: BoxSpec["format"], x: Side, y: Side): string[] {
  const size = ({ from, to }: Side): string => graph.op("Sub", [to, from]);
  const middle = ({ from, to }: Side): string => graph.op("Mul", [graph.op("Add", [from, to]), graph.float(0.5)]);
  switch (format) {
    case "xyxy":
      return [x.from, y.from, x.to, y.to];
    case "xywh":
      return [x.from, y.from, size(x), size(y)];
    case "cxcywh":
      return [middle(x), middle(y), size(x), size(y)];
    default:
      return format satisfies never;
  }
}

function isDecoded(spec: TaskSpec): spec is Exclude<TaskSpec, { readonly kind: Undecoded }> {
  return Object.hasOwn(decoders, spec.kind);
}

function decoderOf<S extends Exclude<TaskSpec, { readonly kind: Undecoded }>>(spec: S): OnnxDecoder<S> {
  // the table pairs every kind with its own spec; the compiler cannot follow the index
  return decoders[spec.kind] as unknown as OnnxDecoder<S>;
}

/** Adds what a task answers. @param logits of the network, [batch, logits] or [batch, length, logits] */
export function decodeOnnx(
  graph: OnnxGraph,
  { path, spec }: TaskNode,
  thresholds: Thresholds,
  logits: string,
  entrances: Entrances,
): Decoded {
  const axis = isPerElement(spec) ? 2 : 1;
  const given = entrances.known[path];
  if (given !== undefined) {
    return { activated: null, decoded: graph.op("Unsqueeze", [given, graph.int64([1])]), some: given };
  }
  const some = graph.op("Gather", [logits, graph.int64([0], [])], { axis });
  if (!isDecoded(spec)) return { activated: logits, decoded: null, some };
  const decoder = decoderOf(spec);
  const activated = decoder.activate(graph, spec, logits);
  return { activated, decoded: decoder.decode(graph, spec, activated, { axis, thresholds, entrances }), some };
}
