/** @file What cannot be written as ONNX: named, with the way out. */
import { CoolError } from "../../errors.js";

/** A layer that ONNX, or this writer, has no operators for. */
export class UnsupportedLayer extends CoolError {
  constructor(layer: string, className: string, why: string) {
    super(
      `The layer "${layer}" (${className}) cannot be exported to ONNX: ${why}. Export with --format layers, which keeps every layer, or build the network without it.`,
      { layer, class_name: className, why },
    );
  }
}
