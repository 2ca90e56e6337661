/** @file Public API of dnn-cool. */
export * from "./errors.js";
