/**
 * Answers of a trained run without the rest: `import { Predictor } from "dnn-cool/predictor"`.
 * @module predictor
 */
export * from "../../../src/predictor/index.js";
