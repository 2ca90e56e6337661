/**
 * Train and ask: `import { trainRun } from "dnn-cool"`.
 * @module dnn-cool
 */
export * from "../../../src/index.js";
