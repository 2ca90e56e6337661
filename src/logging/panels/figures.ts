/** @file Boxes and points that tasks are, or measure, on a picture, as labelled and as predicted. */
import { at, f32At } from "../../arrays.js";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import type { BoundedRegressionSpec, FlowGraph } from "../../flow/graph.js";
import type { AnswerColumn } from "../../flow/masks.js";
import { behaviourOf, isMeasure, type MeasureNode as Measure } from "../../tasks/index.js";

/** A shape in fractions of the picture's width and height, from its top left corner. */
export type Shape =
  | { readonly kind: "box"; readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  | { readonly kind: "point"; readonly x: number; readonly y: number };

export interface Figure {
  readonly source: "truth" | "prediction";
  readonly shape: Shape;
}

/** Tasks that together make one shape. */
interface FigureTasks {
  readonly x: Measure;
  readonly y: Measure;
  readonly width?: Measure;
  readonly height?: Measure;
}

/**
 * Figures of the flow that a task belongs to. In the order of the flow, the first x goes with the first y, width and
 * height, the second with the second, and so on: with width and height they are a box whose corner is (x, y), else a
 * point. Tasks that are a box or a point by themselves are one each, and the only one where they are asked about.
 * @returns what to draw on one row's picture: the labelled shape where all its labels are known and asked for, the
 *   predicted one where its tasks are active by the labels
 */
export function figuresOf(graph: FlowGraph, scored: ScoredSplit, path: string): (row: number) => Figure[] {
  const shapes = figureTasks(graph, path);
  const own = graph.tasks.filter((task) => task.path === path && behaviourOf(task.spec).figure !== null);
  if (own.length > 0) return (row) => own.flatMap(({ index }) => wholeFigures(at(scored.tasks, index), row));
  const whole = graph.tasks.filter((task) => flowOf(task.path) === flowOf(path));
  return (row) => [
    ...shapes.flatMap((tasks) => rowFigures(scored, tasks, row)),
    ...whole.flatMap(({ index }) => wholeFigures(at(scored.tasks, index), row)),
  ];
}

/** Of a task that is a figure by itself. */
function wholeFigures({ task: { spec }, decoded, labels, activeTruth }: ScoredTask, row: number): Figure[] {
  const { figure } = behaviourOf(spec);
  if (figure === null || activeTruth[row] === 0) return [];
  const drawn = (source: Figure["source"], answers: AnswerColumn): Figure[] => {
    const [x, y, right, bottom] = figure.onPicture(spec, answers, row, labels.unitScale);
    if (x === undefined || y === undefined || Number.isNaN(x + y)) return [];
    const shape: Shape =
      right === undefined || bottom === undefined
        ? { kind: "point", x, y }
        : { kind: "box", x, y, width: right - x, height: bottom - y };
    return [{ source, shape }];
  };
  return [...drawn("prediction", decoded), ...drawn("truth", labels.answers)];
}

function figureTasks(graph: FlowGraph, path: string): FigureTasks[] {
  const flow = flowOf(path);
  const measures = graph.tasks.filter(isMeasure).filter((task) => flowOf(task.path) === flow);
  const along = (measured: BoundedRegressionSpec["measures"]): Measure[] =>
    measures.filter(({ spec }) => spec.measures === measured);
  const [xs, ys, widths, heights] = [along("x"), along("y"), along("width"), along("height")];
  return xs.flatMap((x, i): FigureTasks[] => {
    const [y, width, height] = [ys[i], widths[i], heights[i]];
    if (y === undefined) return [];
    return [width === undefined || height === undefined ? { x, y } : { x, y, width, height }];
  });
}

function flowOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

function rowFigures(scored: ScoredSplit, tasks: FigureTasks, row: number): Figure[] {
  const used = Object.values(tasks).map(({ index }: Measure) => at(scored.tasks, index));
  if (used.some((task) => task.activeTruth[row] === 0)) return [];
  const truth = shapeFrom(scored, tasks, row, (task) => task.labels.answers);
  const prediction = shapeFrom(scored, tasks, row, (task) => task.decoded);
  return [
    ...(prediction === null ? [] : [{ source: "prediction" as const, shape: prediction }]),
    ...(truth === null ? [] : [{ source: "truth" as const, shape: truth }]),
  ];
}

/** null where a number is unknown. */
function shapeFrom(
  scored: ScoredSplit,
  { x, y, width, height }: FigureTasks,
  row: number,
  answersOf: (task: ScoredTask) => AnswerColumn,
): Shape | null {
  const fraction = (measure: Measure): number => {
    const task = at(scored.tasks, measure.index);
    const unitScale = task.labels.unitScale?.[row] ?? 1;
    return fractionOf(measure.spec, f32At(answersOf(task), row) / unitScale);
  };
  const corner = { x: fraction(x), y: fraction(y) };
  const shape: Shape =
    width === undefined || height === undefined
      ? { kind: "point", ...corner }
      : { kind: "box", ...corner, width: fraction(width), height: fraction(height) };
  const { kind: _, ...numbers } = shape;
  return Object.values(numbers).every(Number.isFinite) ? shape : null;
}

/** A position lies between the picture's edges `min` and `max`; an extent of `max` is the whole picture. */
function fractionOf({ min, max, measures }: BoundedRegressionSpec, value: number): number {
  return measures === "x" || measures === "y" ? (value - min) / (max - min) : value / max;
}
