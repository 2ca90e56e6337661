/** @file A study's trials as points: the objective along each parameter, and one objective along another. */
import { isSame, type Parameter, type ParameterValue, type Space } from "../space/space.js";
import { choiceText, isLogarithmic, numbersOf } from "./study-pictures.js";
import type { ShownTrial, StudyDocument } from "./study-document.js";

export interface ScatterAxis {
  readonly name: string;
  readonly scale: "linear" | "log";
  /** Texts of a list that is no list of numbers, at the places 0, 1, 2, …; null: the axis counts its values. */
  readonly choices: readonly string[] | null;
}

export interface ScatterPoint {
  readonly trial: number;
  readonly x: number;
  readonly y: number;
  /** Whether it is the best trial, or one that no other is better than. */
  readonly best: boolean;
  readonly finished: boolean;
}

export interface StudyScatter {
  readonly x: ScatterAxis;
  readonly y: ScatterAxis;
  /** By x. */
  readonly points: readonly ScatterPoint[];
}

/** The (first) objective along each parameter, of the trials to which that applies. */
export function sliceScatters(space: Space, document: StudyDocument): StudyScatter[] {
  const y = objectiveAxis(document, 0);
  return space.map((parameter) => ({
    x: parameterAxis(parameter),
    y,
    points: pointsOf(document, (trial) => {
      const value = trial.values[parameter.name];
      return [value === undefined ? null : placeOf(parameter, value), trial.objectives[0] ?? null];
    }),
  }));
}

/** Each further objective along the first one. */
export function frontScatters(document: StudyDocument): StudyScatter[] {
  return document.study.objectives.slice(1).map((_, i) => ({
    x: objectiveAxis(document, 0),
    y: objectiveAxis(document, i + 1),
    points: pointsOf(document, ({ objectives }) => [objectives[0] ?? null, objectives[i + 1] ?? null]),
  }));
}

function pointsOf(
  { trials, best }: StudyDocument,
  placed: (trial: ShownTrial) => readonly [x: number | null, y: number | null],
): ScatterPoint[] {
  const isBest = new Set(best);
  return trials
    .flatMap((trial): ScatterPoint[] => {
      const [x, y] = placed(trial);
      if (x === null || y === null || !Number.isFinite(x) || !Number.isFinite(y)) return [];
      return [{ trial: trial.number, x, y, best: isBest.has(trial.number), finished: trial.state === "finished" }];
    })
    .toSorted((a, b) => a.x - b.x || a.trial - b.trial);
}

function objectiveAxis({ study }: StudyDocument, objective: number): ScatterAxis {
  return { name: study.objectives[objective]?.name ?? "", scale: "linear", choices: null };
}

function parameterAxis(parameter: Parameter): ScatterAxis {
  const isList = parameter.kind === "choice" && numbersOf(parameter) === null;
  return {
    name: parameter.name,
    scale: !isList && isLogarithmic(parameter) ? "log" : "linear",
    choices: isList ? parameter.choices.map(choiceText) : null,
  };
}

/** The value itself, or its place in a list that is no list of numbers. */
function placeOf(parameter: Parameter, value: ParameterValue): number | null {
  if (parameter.kind === "range" || numbersOf(parameter) !== null) return Number(value);
  const place = parameter.choices.findIndex((choice) => isSame(choice, value));
  return place === -1 ? null : place;
}
