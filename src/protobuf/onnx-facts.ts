/** @file What an ONNX model says of itself besides its graph. */
import { ENTRY, MODEL, OPSET } from "./onnx.js";
import { readFields } from "./wire.js";

/** Who wrote a model, by which operators, and the texts that it carries. */
export interface OnnxFacts {
  /** `pytorch 2.5.1`; null where it does not tell. */
  readonly producer: string | null;
  /** Version of the standard operators; null where it does not tell. */
  readonly opset: number | null;
  readonly metadata: ReadonlyMap<string, string>;
}

/** @returns null where the bytes are no ONNX model */
export function readOnnxFacts(bytes: Uint8Array): OnnxFacts | null {
  try {
    return factsOf(bytes);
  } catch {
    return null;
  }
}

function factsOf(bytes: Uint8Array): OnnxFacts | null {
  const producer = new Map<number, string>();
  const metadata = new Map<string, string>();
  let [opset, hasGraph]: [number | null, boolean] = [null, false];
  for (const part of readFields(bytes)) {
    if (part.wire !== "bytes") continue;
    if (part.field === MODEL.graph) hasGraph = true;
    if (part.field === MODEL.producer || part.field === MODEL.producerVersion) {
      producer.set(part.field, textOf(part.value));
    }
    if (part.field === MODEL.metadata) {
      const entry = partsOf(part.value);
      metadata.set(entry.get(ENTRY.key) ?? "", entry.get(ENTRY.value) ?? "");
    }
    if (part.field === MODEL.opset) {
      const domain = partsOf(part.value).get(OPSET.domain) ?? "";
      if (domain === "" || domain === "ai.onnx") opset = versionOf(part.value);
    }
  }
  if (!hasGraph) return null;
  const named = [producer.get(MODEL.producer), producer.get(MODEL.producerVersion)];
  const words = named.filter((word) => word !== undefined && word !== "");
  return { producer: words.length === 0 ? null : words.join(" "), opset, metadata };
}

function partsOf(message: Uint8Array): ReadonlyMap<number, string> {
  const parts = new Map<number, string>();
  for (const part of readFields(message)) if (part.wire === "bytes") parts.set(part.field, textOf(part.value));
  return parts;
}

function versionOf(message: Uint8Array): number | null {
  for (const part of readFields(message)) {
    if (part.field === OPSET.version && part.wire === "varint") return part.value;
  }
  return null;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
