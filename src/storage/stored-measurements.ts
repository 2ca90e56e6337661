/** @file What a store in SQLite keeps of each run: configuration, curves, thresholds, evaluation, samples, files. */
import type { EvaluationRow, MetricPoint, Split } from "../tasks/evaluation.js";
import type { RunMeasurements } from "./contract.js";
import { type Artifact, readArtifacts, recordArtifacts } from "./tables/artifacts.js";
import { readCalibration, replaceCalibration, type StoredCalibration } from "./tables/calibration.js";
import {
  addConfig,
  readConfig,
  readConfigChanges,
  readEnvironment,
  replaceEnvironment,
} from "./tables/config-values.js";
import { type EvaluationFilter, readEvaluation, replaceEvaluation } from "./tables/evaluation.js";
import {
  type InterpretationFilter,
  type InterpretedSample,
  readInterpretation,
  replaceInterpretation,
} from "./tables/interpretation.js";
import {
  type CurveName,
  countPoints,
  lastMetrics,
  listCurves,
  type MetricFilter,
  readMetrics,
  upsertMetrics,
} from "./tables/metric-points.js";
import { updateMonitored } from "./tables/monitored.js";
import { readThinned } from "./tables/thinned-points.js";
import { readThresholds, replaceThresholds, type Threshold } from "./tables/thresholds.js";
import type { Transactions } from "./transactions.js";

export function storedMeasurements({ database, curveNumbers, read, write }: Transactions): RunMeasurements {
  return {
    readConfigChanges(id: string) {
      return read(id, () => readConfigChanges(database, id));
    },
    readEnvironment(id: string) {
      return read(id, () => readEnvironment(database, id));
    },
    replaceEnvironment(id: string, environment: Readonly<Record<string, unknown>>) {
      write(id, () => replaceEnvironment(database, id, environment));
    },
    readConfig(id: string) {
      return read(id, () => readConfig(database, id));
    },
    addConfig(id: string, config: Readonly<Record<string, unknown>>) {
      write(id, () => {
        addConfig(database, id, config);
        updateMonitored(database, id);
      });
    },
    appendMetrics(id: string, points: Iterable<MetricPoint>) {
      curveNumbers.use(id, (numbers) => write(id, () => upsertMetrics(database, id, points, numbers())));
    },
    readMetrics(id: string, filter?: MetricFilter) {
      return read(id, () => readMetrics(database, id, filter));
    },
    listCurves(id: string) {
      return read(id, () => listCurves(database, id));
    },
    thinnedMetrics(id: string, name: CurveName, columns: number) {
      return read(id, () => readThinned(database, id, name, columns));
    },
    countPoints(id: string, name: CurveName) {
      return read(id, () => countPoints(database, id, name));
    },
    lastMetrics(id: string, filter?: MetricFilter) {
      return read(id, () => lastMetrics(database, id, filter));
    },
    replaceThresholds(id: string, metricName: string, rows: readonly Threshold[]) {
      write(id, () => replaceThresholds(database, id, metricName, rows));
    },
    readThresholds(id: string) {
      return read(id, () => readThresholds(database, id));
    },
    replaceEvaluation(id: string, rows: readonly EvaluationRow[]) {
      write(id, () => replaceEvaluation(database, id, rows));
    },
    readEvaluation(id: string, filter?: EvaluationFilter) {
      return read(id, () => readEvaluation(database, id, filter));
    },
    replaceCalibration(id: string, rows: readonly StoredCalibration[]) {
      write(id, () => replaceCalibration(database, id, rows));
    },
    readCalibration(id: string) {
      return read(id, () => readCalibration(database, id));
    },
    replaceInterpretation(id: string, split: Split, samples: readonly InterpretedSample[]) {
      write(id, () => replaceInterpretation(database, id, split, samples));
    },
    readInterpretation(id: string, filter?: InterpretationFilter) {
      return read(id, () => readInterpretation(database, id, filter));
    },
    recordArtifacts(id: string, artifacts: readonly Artifact[]) {
      write(id, () => recordArtifacts(database, id, artifacts));
    },
    readArtifacts(id: string) {
      return read(id, () => readArtifacts(database, id));
    },
  };
}
