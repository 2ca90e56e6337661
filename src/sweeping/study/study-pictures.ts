/** @file Pictures of a study: parallel coordinates of its trials, and the objective along each parameter. */
import type { CurvePanel } from "../../plotting/panels.js";
import { type ParallelMark, type ParallelPlot, parallelSvg } from "../../plotting/parallel.js";
import { svgChart } from "../../plotting/svg-chart.js";
import {
  type ChoiceParameter,
  evenExtent,
  fromEven,
  isSame,
  type Parameter,
  type ParameterValue,
  type Space,
  toUnit,
} from "../space/space.js";
import type { ShownTrial, StudyDocument } from "./study-document.js";

/** Trials with a value, also of pruned ones. */
function valued(trials: readonly ShownTrial[]): { readonly trial: ShownTrial; readonly value: number }[] {
  return trials.flatMap((trial) => {
    const value = trial.objectives[0] ?? null;
    return value === null ? [] : [{ trial, value }];
  });
}

/** Of one objective the best so many finished trials stand out; of several those that no other is better than. */
const STRONG = 3;

/** The parameters of a study, and at the right end its (first) objective. */
export function parallelOf(space: Space, { trials, study, best }: StudyDocument): ParallelPlot {
  const points = valued(trials);
  const isMax = study.objectives[0]?.direction === "maximize";
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const order = points.toSorted((a, b) => (isMax ? b.value - a.value : a.value - b.value));
  const finished = order.flatMap(({ trial }) => (trial.state === "finished" ? [trial.number] : []));
  const strong = new Set(study.objectives.length > 1 ? best : finished.slice(0, STRONG));
  const marks =
    most === least
      ? [{ place: 0.5, text: text(most) }]
      : [
          { place: 1, text: text(most) },
          { place: 0, text: text(least) },
        ];
  return {
    axes: [
      ...space.map((parameter) => ({ name: parameter.name, marks: marksOf(parameter) })),
      { name: study.objectives[0]?.name ?? "", marks },
    ],
    lines: order.map(({ trial, value }, i) => ({
      name: `trial ${trial.number}`,
      rank: i / Math.max(1, order.length - 1),
      isStrong: strong.has(trial.number),
      places: [
        ...space.map((parameter) => {
          const own = trial.values[parameter.name];
          return own === undefined ? null : toUnit(parameter, own);
        }),
        most === least ? 0.5 : (value - least) / (most - least),
      ],
    })),
  };
}

/** The ends of a range, each choice: where lines with that value cross the axis. */
function marksOf(parameter: Parameter): ParallelMark[] {
  if (parameter.kind === "choice") {
    return parameter.choices.map((choice) => ({ place: toUnit(parameter, choice), text: choiceText(choice) }));
  }
  const last = fromEven(parameter, evenExtent(parameter).high);
  return [...new Set([last, parameter.low])].map((value) => ({ place: toUnit(parameter, value), text: text(value) }));
}

/** The objective along each parameter, a chart for each; the other parameters are whatever they were. */
export function slicesOf(space: Space, { trials }: StudyDocument): CurvePanel[] {
  return space.map((parameter) => {
    const points = valued(trials)
      .flatMap(({ trial, value }) => {
        const own = trial.values[parameter.name];
        return own === undefined ? [] : [{ x: axisPlace(parameter, own), y: value }];
      })
      .toSorted((a, b) => a.x - b.x);
    // a gap behind each point leaves dots
    const dots = points.flatMap((point) => [point, { x: point.x, y: Number.NaN }]);
    return { title: titleOf(parameter), curves: [{ name: "", points: dots, isUnnamed: true }] };
  });
}

const WIDTH = 1120;
const PARALLEL_HEIGHT = 560;
const SLICE_HEIGHT = 300;
/** Charts beside each other, as `svgChart` places them in this width. */
const SLICES_ACROSS = 2;

/** Both pictures as one SVG document, the slices below. */
export function studySvg(parallel: ParallelPlot, slices: readonly CurvePanel[], theme: "light" | "dark"): string {
  const across = parallelSvg(parallel, { width: WIDTH, height: PARALLEL_HEIGHT, theme });
  if (slices.length === 0) return across;
  const below = SLICE_HEIGHT * Math.ceil(slices.length / SLICES_ACROSS);
  const charts = svgChart(slices, { width: WIDTH, height: below, theme });
  const height = PARALLEL_HEIGHT + below;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">${across}<g transform="translate(0 ${PARALLEL_HEIGHT})">${charts}</g></svg>\n`;
}

function axisPlace(parameter: Parameter, value: ParameterValue): number {
  if (parameter.kind === "choice" && numbersOf(parameter) === null) {
    return parameter.choices.findIndex((choice) => isSame(choice, value)) + 1;
  }
  return isLogarithmic(parameter) ? Math.log10(Number(value)) : Number(value);
}

/** The choices of a list of numbers; null of any other. */
export function numbersOf({ choices }: ChoiceParameter): number[] | null {
  const numbers = choices.filter((choice) => typeof choice === "number");
  return numbers.length === choices.length ? numbers : null;
}

/** Whether ratios tell the values apart: of a list where they are more even than the differences, as in 16, 32, 64. */
export function isLogarithmic(parameter: Parameter): boolean {
  if (parameter.kind === "range") return parameter.log;
  const sorted = (numbersOf(parameter) ?? []).toSorted((a, b) => a - b);
  if (sorted.length < 3 || sorted.some((value) => value <= 0)) return false;
  const unevenness = (step: (a: number, b: number) => number): number => {
    const steps = sorted.slice(1).map((value, i) => step(value, sorted[i] ?? value));
    return Math.max(...steps) / Math.min(...steps);
  };
  return unevenness((a, b) => Math.log(a / b)) < unevenness((a, b) => a - b);
}

function titleOf(parameter: Parameter): string {
  const { name } = parameter;
  if (isLogarithmic(parameter)) return `log10 ${name}`;
  if (parameter.kind === "range" || numbersOf(parameter) !== null) return name;
  return `${name}: ${parameter.choices.map((choice, i) => `${i + 1} ${choiceText(choice)}`).join(", ")}`;
}

function text(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "";
}

/** A choice as people write it. */
export function choiceText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
