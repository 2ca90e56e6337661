/** @file Metrics of every task kind (placeholder while metrics are being written). */
import type { BinarySpec, BoundedRegressionSpec, ClassificationSpec, MultilabelSpec } from "../flow/graph.js";
import type { MetricValue, Scored } from "./behaviour.js";

export const TUNABLE_METRICS: readonly string[] = ["accuracy", "f1_score", "precision", "recall"];
export const binaryMetrics = (_: Scored<BinarySpec>): MetricValue[] => [];
export const multilabelMetrics = (_: Scored<MultilabelSpec>): MetricValue[] => [];
export const classificationMetrics = (_: Scored<ClassificationSpec>): MetricValue[] => [];
export const regressionMetrics = (_: Scored<BoundedRegressionSpec>): MetricValue[] => [];
