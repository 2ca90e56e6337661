/** @file A text encoder that feeds a network, in the model that is written: what it is fed, and the pooling behind it. */
import { type ExternalPart, widthOf } from "../../engine/model/pretrained/external-part.js";
import type { TextPooling } from "../../engine/model/pretrained/external-model.js";
import { ConfigError } from "../../errors.js";
import { ONNX_TYPE } from "../../protobuf/onnx.js";
import type { TokenPadding } from "../../data/dataset.js";
import type { OnnxGraph } from "./graph.js";
import type { OtherModel } from "./merged-model.js";
import { plainValue, reduce, type Value } from "./values.js";

const { float: FLOAT, int64: INT64 } = ONNX_TYPE;

/** Texts in the graph. */
export interface TextValue {
  /** Ids from 0 up, −1: padding, [batch, length]. */
  readonly ids: string;
  readonly padding: TokenPadding;
}

/**
 * What an encoder is fed, by the names of its inputs.
 * @throws ConfigError for one that reads texts of one length alone, or cannot tell padding from tokens
 */
export function textFeeds(
  graph: OnnxGraph,
  { ids, padding }: TextValue,
  { inputs }: OtherModel,
  { model }: ExternalPart,
): ReadonlyMap<string, string> {
  const fixed = inputs.find(({ shape }) => (shape[1] ?? 0) > 0);
  if (fixed !== undefined) {
    throw new ConfigError(
      `The ONNX model ${model} reads texts of ${fixed.shape[1]} tokens alone, and cannot be taken into an export. Export it with lengths that are free.`,
      { model, length: fixed.shape[1] },
    );
  }
  const isMasked = inputs.some(({ name }) => name === "attention_mask");
  if (!isMasked && (padding.length !== null || padding.multiple !== null)) {
    throw new ConfigError(
      `The ONNX model ${model} takes padding for tokens, since it has no attention_mask, so that an export of it would answer otherwise. Declare tokenizer({ padding: "none" }) and train again.`,
      { model },
    );
  }
  const isToken = graph.op("GreaterOrEqual", [ids, graph.int32([0], [])]);
  const where = (value: string, otherwise: number) => graph.op("Where", [isToken, value, graph.int32([otherwise], [])]);
  const places = () => graph.op("Sub", [countUp(graph, isToken), graph.int64([1], [])]);
  const values: ReadonlyMap<string, () => string> = new Map([
    ["input_ids", () => where(ids, padding.id)],
    ["attention_mask", () => isToken],
    ["token_type_ids", () => where(graph.int32([0], []), padding.typeId)],
    ["position_ids", () => graph.op("Where", [isToken, places(), graph.int64([1], [])])],
  ]);
  return new Map(
    inputs.map(({ name, element }) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`an encoder has no input ${name}`);
      return [name, graph.op("Cast", [value()], { to: element })] as const;
    }),
  );
}

/** Which token of its row each one is, from 1 up, [batch, length] of int64. */
function countUp(graph: OnnxGraph, isToken: string): string {
  return graph.op("CumSum", [graph.op("Cast", [isToken], { to: INT64 }), graph.int64([1], [])]);
}

/**
 * What an encoder puts out for a text, [batch, width]; zeros for a text without tokens. Without pooling [batch, length,
 * width], zeros for padding.
 */
export function textFeature(graph: OnnxGraph, { ids }: TextValue, output: string, part: ExternalPart): Value {
  const isToken = graph.op("GreaterOrEqual", [ids, graph.int32([0], [])]);
  const width = widthOf(part);
  if (part.pooling === "none") {
    const column = graph.op("Unsqueeze", [isToken, graph.int64([2])]);
    const known = graph.op("Where", [column, output, graph.float(0)]);
    return plainValue(graph.op("Reshape", [known, graph.int64([0, 0, width])]), [null, null, width]);
  }
  const pooled = part.pooling === undefined ? output : pool(graph, isToken, output, part.pooling);
  const count = graph.op("ReduceSum", [graph.op("Cast", [isToken], { to: FLOAT }), graph.int64([1])], { keepdims: 1 });
  const isThere = graph.op("Greater", [count, graph.float(0)]);
  const known = graph.op("Where", [isThere, pooled, graph.float(0)]);
  return plainValue(graph.op("Reshape", [known, graph.int64([-1, width])]), [null, width]);
}

type Pooling = Exclude<TextPooling, "none">;

/** [batch, length, width] → [batch, width] */
function pool(graph: OnnxGraph, isToken: string, tokens: string, pooling: Pooling): string {
  const weights = graph.op("Cast", [chosen(graph, isToken, pooling)], { to: FLOAT });
  const column = graph.op("Unsqueeze", [weights, graph.int64([2])]);
  const sum = graph.op("ReduceSum", [graph.op("Mul", [tokens, column]), graph.int64([1])], { keepdims: 0 });
  const total = graph.op("ReduceSum", [weights, graph.int64([1])], { keepdims: 1 });
  return graph.op("Div", [sum, graph.op("Max", [total, graph.float(1)])]);
}

/** The tokens that count. */
function chosen(graph: OnnxGraph, isToken: string, pooling: Pooling): string {
  if (pooling === "mean") return isToken;
  const place = countUp(graph, isToken);
  const wanted = pooling === "first" ? graph.int64([1], []) : reduce(graph, "ReduceMax", place, [1]);
  return graph.op("And", [isToken, graph.op("Equal", [place, wanted])]);
}
