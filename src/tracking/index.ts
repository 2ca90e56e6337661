/** @file Tracks training loops of other libraries: the public entry `dnn-cool/track`. */
export type { LoggedValues, LogOptions } from "./curves.js";
export type { LoggedEvaluationRow } from "./evaluation-rows.js";
export type { LoggedImage, LoggedTable, RawImage } from "./media.js";
export { type StartRunOptions, startRun } from "./start-run.js";
export { type TfCallback, tfCallback } from "./tf-callback.js";
export type { MediaOptions, TrackedRun } from "./tracked-run.js";
