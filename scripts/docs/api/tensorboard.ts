/**
 * Event files without TensorFlow: `import { openEventWriter } from "dnn-cool/tensorboard"`.
 * @module tensorboard
 */
export * from "../../../src/logging/tensorboard/index.js";
