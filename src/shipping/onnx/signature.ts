/** @file What an exported model takes: the declared inputs by their names, and what becomes of them before the network. */
import type { InputSpec, TokensInputSpec } from "../../data/dataset.js";
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf, isCustom } from "../../tasks/index.js";
import type { OnnxGraph } from "./graph.js";
import type { TextValue } from "./text-model.js";
import { type Value, plainValue } from "./values.js";

/** Inputs of the graph and what the network sees of them. */
export interface Entrances {
  /** Inputs of the network by name. */
  readonly seen: Readonly<Record<string, Value>>;
  /** Which tokens there are, [batch, length] of truth values; null: no input has any. */
  readonly presence: string | null;
  /** Texts that a tokenizer cuts, by name. */
  readonly texts: Readonly<Record<string, TextValue>>;
  /** Pixels of pictures by name, floats from 0 to 1. */
  readonly pictures: Readonly<Record<string, Value>>;
  /** Answers of known tasks by path, [batch]. */
  readonly known: Readonly<Record<string, string>>;
  /** Height and width of the original picture, [batch, 2]; null where no answer hangs on it. */
  readonly size: string | null;
  /** What the network sees of it: left, top, width, height, [batch, 4]; null where no answer hangs on it. */
  readonly frame: string | null;
}

const DOUBLE = 11;
const FLOAT = 1;

/** Adds the inputs of a run to a graph. @param specs those that its network, or a model before it, reads */
export function writeEntrances(
  graph: OnnxGraph,
  specs: Readonly<Record<string, InputSpec>>,
  { tasks }: FlowGraph,
): Entrances {
  const seen: Record<string, Value> = {};
  let presence: string | null = null;
  for (const [name, spec] of Object.entries(specs)) {
    seen[name] = entrance(graph, name, spec);
    if (spec.kind === "tokens" && spec.tokenizer === undefined)
      presence = graph.op("Greater", [name, graph.int32([0], [])]);
  }
  const facts = new Set(tasks.flatMap(({ spec }) => (isCustom(spec) ? [] : behaviourOf(spec).imageScales(spec))));
  const picture = Object.entries(specs).find(([, { kind }]) => kind === "image")?.[0];
  const isSized = facts.has("image-width") || facts.has("image-height");
  const extra = (of: string, width: number) => graph.input(`${picture}/${of}`, "float", ["batch", width]);
  const known = tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "table");
  return {
    seen,
    presence,
    pictures: Object.fromEntries(Object.entries(seen).filter(([name]) => specs[name]?.kind === "image")),
    texts: Object.fromEntries(Object.entries(specs).flatMap(([name, spec]) => textOf(name, spec))),
    known: Object.fromEntries(known.map(({ path }) => [path, graph.input(path, "float", ["batch"])])),
    size: isSized ? extra("size", 2) : null,
    frame: facts.has("frame-left") ? extra("frame", 4) : null,
  };
}

function entrance(graph: OnnxGraph, name: string, spec: InputSpec): Value {
  switch (spec.kind) {
    case "image": {
      const shape = [...spec.size, spec.channels];
      graph.input(name, "uint8", ["batch", ...shape]);
      const bytes = graph.op("Cast", [name], { to: FLOAT });
      return plainValue(graph.op("Div", [bytes, graph.float(255)]), [null, ...shape]);
    }
    case "numeric": {
      const width = spec.listLength ?? spec.columns.length;
      graph.input(name, "float", ["batch", width]);
      return plainValue(standardized(graph, name, spec), [null, width]);
    }
    case "categorical": {
      graph.input(name, "int32", ["batch"]);
      const column = graph.op("Unsqueeze", [name, graph.int64([1])]);
      const places = spec.categories.map((_, i) => i + 1);
      const isIndex = spec.encoding === "index";
      const encoded = isIndex ? column : graph.op("Equal", [column, graph.int32(places)]);
      return plainValue(graph.op("Cast", [encoded], { to: FLOAT }), [null, isIndex ? 1 : places.length]);
    }
    case "tokens":
      graph.input(name, "int32", ["batch", "length"]);
      return plainValue(graph.op("Cast", [countedFromOne(graph, name, spec)], { to: FLOAT }), [null, null]);
    default:
      return spec satisfies never;
  }
}

/** A tokenizer's ids count from 0, and −1 is padding. */
function countedFromOne(graph: OnnxGraph, name: string, { tokenizer }: TokensInputSpec): string {
  return tokenizer === undefined ? name : graph.op("Add", [name, graph.int32([1], [])]);
}

function textOf(name: string, spec: InputSpec): [string, TextValue][] {
  const padding = spec.kind === "tokens" ? spec.tokenizer?.padding : null;
  return padding == null ? [] : [[name, { ids: name, padding }]];
}

/** In double precision, as the statistics were taken: a mean may be far from 0. */
function standardized(
  graph: OnnxGraph,
  name: string,
  { statistics, standardize, missing }: Extract<InputSpec, { kind: "numeric" }>,
): string {
  if (statistics === null) return name;
  const double = (values: readonly number[]) => graph.op("Cast", [graph.floats(values)], { to: DOUBLE });
  const known =
    missing === "mean" ? graph.op("Where", [graph.op("IsNaN", [name]), graph.floats(statistics.mean), name]) : name;
  if (!standardize) return known;
  const centred = graph.op("Sub", [graph.op("Cast", [known], { to: DOUBLE }), double(statistics.mean)]);
  return graph.op("Cast", [graph.op("Div", [centred, double(statistics.deviation)])], { to: FLOAT });
}
