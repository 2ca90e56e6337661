/**
 * Runs of training loops of other libraries: `import { startRun } from "dnn-cool/track"`.
 * @module track
 */
export * from "../../../src/tracking/index.js";
