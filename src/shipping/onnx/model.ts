/** @file A graph as the bytes of a model. */
import { embed, ENTRY, MODEL, OPSET } from "../../protobuf/onnx.js";
import { ProtoWriter } from "../../protobuf/wire.js";
import type { OnnxGraph } from "./graph.js";

/** Version of the standard operators that models are written in, unless they take in another one's. */
export const OPSET_VERSION = 17;
/** Version of the format that has them. */
export const IR_VERSION = 8;

/** What a model says besides its graph. */
export interface ModelFacts {
  readonly name: string;
  readonly version: string;
  /** Texts by key, which any runtime shows. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a model takes in of another one. */
export interface TakenIn {
  readonly irVersion: number;
  /** Versions of operators besides the standard ones. */
  readonly opsets: readonly (readonly [domain: string, version: number])[];
  /** `FunctionProto`s. */
  readonly functions: readonly Uint8Array[];
}

export const NOTHING_TAKEN: TakenIn = { irVersion: IR_VERSION, opsets: [], functions: [] };

/** A complete `ModelProto`. */
export function encodeModel(graph: OnnxGraph, facts: ModelFacts, taken: TakenIn = NOTHING_TAKEN): Uint8Array {
  const out = new ProtoWriter(1 << 20);
  out.integer(MODEL.irVersion, Math.max(IR_VERSION, taken.irVersion));
  out.string(MODEL.producer, "dnn-cool");
  out.string(MODEL.producerVersion, facts.version);
  for (const [domain, version] of [["", graph.opset] as const, ...taken.opsets]) {
    embed(out, MODEL.opset, () => {
      out.string(OPSET.domain, domain);
      out.integer(OPSET.version, version);
    });
  }
  embed(out, MODEL.graph, () => graph.write(out, facts.name));
  for (const [key, value] of Object.entries(facts.metadata)) {
    embed(out, MODEL.metadata, () => {
      out.string(ENTRY.key, key);
      out.string(ENTRY.value, value);
    });
  }
  for (const bytes of taken.functions) out.raw(MODEL.functions, bytes);
  return out.finish();
}
