/** @file What has no translation into TensorFlow: named, with the way out. */
import { CoolError } from "../../errors.js";

/** A part of a network that the writer of SavedModels has no operators for. */
export class Untranslated extends CoolError {
  constructor(what: string) {
    super(
      `The network has ${what}, which cannot be written as a SavedModel here. Export with --format onnx, which can be, or with --format layers.`,
      { what },
    );
  }
}
