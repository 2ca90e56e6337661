/** @file What the rest of dnn-cool uses of the run store. */
export type { Artifact } from "./artifacts.js";
export type { ConfigChange, ConfigValue, FlatConfig } from "./config-values.js";
export type { NewRun } from "./create-run.js";
export type { EvaluationFilter } from "./evaluation.js";
export type { InterpretationFilter, InterpretedSample, StoredInterpretation } from "./interpretation.js";
export type { MetricFilter, MetricPoint } from "./metric-points.js";
export type { RunRecord, RunState, WrittenRunState } from "./run-record.js";
export { openRunStore, type RunFilter, type RunStore, type StoreOptions } from "./run-store.js";
export { HEARTBEAT_LIMIT_MS, type RunPatch } from "./runs.js";
export type { StoredThreshold, Threshold } from "./thresholds.js";
