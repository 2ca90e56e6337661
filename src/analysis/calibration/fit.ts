/** @file Fits what makes probabilities of scores: task by task, on the rows of its loss mask. */
import { at, f32At } from "../../arrays.js";
import {
  type CalibrationMethod,
  calibrationForm,
  IDENTITY,
  type ScoreMap,
  type TaskCalibration,
} from "../../decoding/calibration.js";
import type { FlowGraph, TaskSpec } from "../../flow/graph.js";
import { allLogits, behaviourOf, isSummarized } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { choiceRows, type Events, eventsOf, gather } from "./events.js";
import { fitIsotonic } from "./isotonic.js";
import { fitTemperature, LARGEST } from "./temperature.js";

/** Calibrations by path of task; tasks without probabilities have none. */
export type Calibrations = Readonly<Record<string, TaskCalibration>>;

export interface FittedCalibration {
  readonly tasks: Calibrations;
  /** What could not be fitted, and why. */
  readonly warnings: readonly string[];
}

type Warn = (text: string) => void;

/**
 * Calibrations of all tasks that have probabilities. A map that its rows do not determine leaves the scores as they are,
 * with a warning.
 */
export function fitCalibration(graph: FlowGraph, scored: ScoredSplit, method: CalibrationMethod): FittedCalibration {
  const warnings: string[] = [];
  const tasks = graph.tasks.flatMap(({ index, path, spec }): [string, TaskCalibration][] => {
    if (calibrationForm<TaskSpec>(spec) === null) return [];
    if (isSummarized(spec)) {
      warnings.push(`${path}: of its many classes only the best are kept; its scores stay`);
      return [];
    }
    const warn = (text: string): void => void warnings.push(`${path}: ${text}`);
    tellUnanswered(at(scored.tasks, index), warn);
    return [[path, fitters[method](at(scored.tasks, index), warn)]];
  });
  return { tasks: Object.fromEntries(tasks), warnings };
}

const fitters: Readonly<Record<CalibrationMethod, (scored: ScoredTask, warn: Warn) => TaskCalibration>> = {
  temperature: (scored, warn) => ({ method: "temperature", temperatures: temperaturesOf(scored, warn) }),
  isotonic: (scored, warn) => ({ method: "isotonic", maps: mapsOf(scored, warn) }),
};

function temperaturesOf(scored: ScoredTask, warn: Warn): number[] {
  const { spec } = scored.task;
  const classes = behaviourOf(spec).choices(spec)?.length;
  if (classes !== undefined) return [choiceTemperature(scored, classes, warn)];
  const { logits } = allLogits(scored.kept);
  return eachMap(scored, (events, name) => {
    if (!isMixed(events, name, "its temperature stays 1", warn)) return 1;
    const fitted = fitTemperature({
      activation: "sigmoid",
      logits: gather(logits, events.indices),
      truths: events.truths,
    });
    return determined(fitted, name, warn);
  });
}

/** One temperature for all classes, so that their order stays. */
function choiceTemperature(scored: ScoredTask, classes: number, warn: Warn): number {
  const { rows } = choiceRows(scored, classes);
  if (rows.length === 0) {
    warn("no row is active and labelled; its temperature stays 1");
    return 1;
  }
  const { logits } = allLogits(scored.kept);
  const kept = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    kept.set(logits.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  const labels = Int32Array.from(rows, (row) => f32At(scored.labels.answers, row));
  return determined(fitTemperature({ activation: "softmax", logits: kept, classes, labels }), "", warn);
}

function determined(temperature: number | null, name: string, warn: Warn): number {
  if (temperature === null) warn(`${name}its scores tell all its labels apart, so that its temperature stays 1`);
  if (temperature === LARGEST) warn(`${name}its scores say nothing of its labels; its temperature is ${LARGEST}`);
  return temperature ?? 1;
}

/** Of a classification one against the rest, for each class. */
function mapsOf(scored: ScoredTask, warn: Warn): ScoreMap[] {
  const { activated } = allLogits(scored.kept);
  return eachMap(scored, (events, name) =>
    isMixed(events, name, "its scores stay", warn)
      ? fitIsotonic(gather(activated, events.indices), events.truths)
      : IDENTITY,
  );
}

function eachMap<T>(scored: ScoredTask, fit: (events: Events, name: string) => T): T[] {
  const { spec } = scored.task;
  const maps = calibrationForm<TaskSpec>(spec)?.maps(spec) ?? 0;
  const names = maps === 1 ? null : behaviourOf(spec).logitNames(spec);
  return Array.from({ length: maps }, (_, map) =>
    fit(eventsOf(scored, map, maps), names === null ? "" : `${names[map]}: `),
  );
}

function isMixed({ truths }: Events, name: string, outcome: string, warn: Warn): boolean {
  if (truths.length === 0) warn(`${name}no row is active and labelled; ${outcome}`);
  else if (!truths.includes(1)) warn(`${name}it never occurs among ${countOf(truths)}; ${outcome}`);
  else if (!truths.includes(0)) {
    const all = truths.length === 1 ? "its one label is" : `all ${countOf(truths)} are`;
    warn(`${name}${all} yes; ${outcome}`);
  } else return true;
  return false;
}

function tellUnanswered(scored: ScoredTask, warn: Warn): void {
  const classes = behaviourOf(scored.task.spec).choices(scored.task.spec)?.length;
  const { unanswered } = classes === undefined ? eventsOf(scored, 0, 1) : choiceRows(scored, classes);
  if (unanswered === 1) warn("one answer is NaN; the map is fitted without it, and errors over it are undefined");
  if (unanswered > 1) {
    warn(`${unanswered} answers are NaN; the map is fitted without them, and errors over them are undefined`);
  }
}

function countOf({ length }: Uint8Array): string {
  return length === 1 ? "1 label" : `${length} labels`;
}
