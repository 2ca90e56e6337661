/** @file Labels that measure something on a picture, moved with it. */
import { at, f32At } from "../../arrays.js";
import type { BoundedRegressionSpec, FlowGraph, TaskNode, TaskSpec } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { behaviourOf, type Figure, isMeasure, type MeasureNode as Measure } from "../../tasks/index.js";
import { unitScaleAt } from "../../decoding/decoders.js";
import type { Labels } from "../../tasks/behaviour.js";
import { type AxisMove, movePlace, movesNothing, type Moves, moveThrough } from "../augment.js";

/** Tasks along one axis of a figure: a place, an extent, or both. */
interface AxisTasks {
  readonly place: Measure | null;
  readonly extent: Measure | null;
}

/**
 * Tasks of one flow that measure one thing: a box (its left or upper edge and its extent along each axis), or a point
 * where there is no extent.
 */
export interface FigureTasks {
  readonly horizontal: AxisTasks;
  readonly vertical: AxisTasks;
}

/** A task that is a figure by itself. */
export interface WholeFigure {
  readonly task: TaskNode;
  readonly figure: Figure<TaskSpec>;
}

/** What moves on the pictures of a graph's rows. */
export interface MovingFigures {
  readonly measured: readonly FigureTasks[];
  readonly whole: readonly WholeFigure[];
}

export function movingFigures(graph: FlowGraph): MovingFigures {
  const whole = graph.tasks.flatMap((task): WholeFigure[] => {
    const { figure } = behaviourOf(task.spec);
    return figure === null ? [] : [{ task, figure }];
  });
  return { measured: figuresOf(graph), whole };
}

/**
 * Figures that a graph's tasks measure. In each flow the first x goes with the first y, width and height, the second
 * with the second, and so on.
 */
export function figuresOf(graph: FlowGraph): FigureTasks[] {
  const measures = graph.tasks.filter(isMeasure);
  const flows = [...new Set(measures.map(({ path }) => flowOf(path)))];
  return flows.flatMap((flow) => {
    const own = measures.filter(({ path }) => flowOf(path) === flow);
    const along = (measured: BoundedRegressionSpec["measures"]): Measure[] =>
      own.filter(({ spec }) => spec.measures === measured);
    const [xs, ys, widths, heights] = [along("x"), along("y"), along("width"), along("height")];
    const count = Math.max(xs.length, ys.length, widths.length, heights.length);
    return Array.from({ length: count }, (_, i) => ({
      horizontal: { place: xs[i] ?? null, extent: widths[i] ?? null },
      vertical: { place: ys[i] ?? null, extent: heights[i] ?? null },
    }));
  });
}

function flowOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

/**
 * Moves one row's labels with its picture, in place:
 *  - a place is mirrored (of a box its other edge), scaled about the centre and shifted; an extent is scaled;
 *  - a box partly outside is cut off at the edge of the picture;
 *  - of a box or point wholly outside along either axis, all labels become missing (NaN);
 *  - a label becomes missing where it depends on one that is missing: the place of a mirrored box without its extent,
 *    or the extent of a moved box without its place, which may have been cut off;
 *  - where the picture is turned or bent, a box becomes the smallest upright one around its corners; a place without
 *    the other axis, or a box without all its labels, becomes missing.
 * A picture lies between `min` and `max` of a place (times the row's image size where the task has a scale); an extent
 * of `max` is the whole picture.
 * @param labels per task of the graph
 * @param row of `labels`
 */
export function moveLabels(
  { measured, whole }: MovingFigures,
  labels: readonly Labels[],
  row: number,
  moves: Moves,
): void {
  const { warp, horizontal, vertical } = moves;
  if (warp === null && movesNothing(horizontal) && movesNothing(vertical)) return;
  for (const figure of whole) moveWhole(figure, at(labels, figure.task.index), row, moves);
  for (const figure of measured) {
    const axes = [fractionsOf(figure.horizontal, labels, row), fractionsOf(figure.vertical, labels, row)] as const;
    const moved =
      warp === null
        ? [moveAxis(axes[0], horizontal, figure.horizontal), moveAxis(axes[1], vertical, figure.vertical)]
        : moveFigure(figure, axes, moves);
    const outside = moved.some((axis) => axis === OUTSIDE);
    [figure.horizontal, figure.vertical].forEach((tasks, i) => {
      const axis = moved[i];
      writeFractions(tasks, labels, row, outside || axis === OUTSIDE || axis === undefined ? UNKNOWN : axis);
    });
  }
}

/**
 * What of a task's boxes or points the network sees, in place: a box partly outside is cut off at the edge of what it
 * sees, what lies wholly outside becomes missing. Nothing where it sees the whole picture.
 * @returns how many became missing
 */
export function cutToFrame(task: TaskNode, labels: Labels): number {
  const { figure, imageScales } = behaviourOf(task.spec);
  const facts = imageScales(task.spec);
  if (figure === null || !facts.includes("frame-width") || labels.unitScale === null) return 0;
  const width = answerWidth(task.spec);
  const known = (row: number): boolean => !Number.isNaN(f32At(labels.answers, row * width));
  const rows = labels.unitScale.length / facts.length;
  let unseen = 0;
  for (let row = 0; row < rows; row++) {
    const wasKnown = known(row);
    moveWhole({ task, figure }, labels, row, STILL);
    unseen += Number(wasKnown && !known(row));
  }
  return unseen;
}

const STILL: Moves = {
  warp: null,
  horizontal: { flip: false, scale: 1, shift: 0 },
  vertical: { flip: false, scale: 1, shift: 0 },
};

/** A box or a point with all its numbers, or without any. */
function moveWhole({ task: { spec }, figure }: WholeFigure, labels: Labels, row: number, moves: Moves): void {
  const numbers = figure.read(spec, labels.answers, row, labels.unitScale);
  if (numbers.some(Number.isNaN)) return;
  const moved = figure.kind === "point" ? movePoint(numbers, moves) : moveBox(numbers, moves);
  figure.write(spec, labels.answers, row, labels.unitScale, moved ?? numbers.map(() => Number.NaN));
}

/** null where it leaves the picture. */
function movePoint([x = Number.NaN, y = Number.NaN]: readonly number[], moves: Moves): readonly number[] | null {
  const moved = moveThrough(moves, [x, y]);
  return moved.every(isInside) ? moved : null;
}

/** The smallest upright box around the corners as they move, cut off at the edge of the picture; null: wholly outside. */
function moveBox(
  [left = Number.NaN, top = Number.NaN, right = Number.NaN, bottom = Number.NaN]: readonly number[],
  moves: Moves,
): readonly number[] | null {
  const [x, y] = aroundCorners([left, right], [top, bottom], moves);
  if (x === undefined || y === undefined || x === OUTSIDE || y === OUTSIDE) return null;
  return [x.place, y.place, x.place + x.extent, y.place + y.extent];
}

/** Along both axes, what is left on the picture of a box whose corners move. */
function aroundCorners(
  horizontal: readonly number[],
  vertical: readonly number[],
  moves: Moves,
): (Fractions | typeof OUTSIDE)[] {
  const corners = horizontal.flatMap((x) => vertical.map((y) => moveThrough(moves, [x, y])));
  if (!corners.flat().every(Number.isFinite)) return [UNKNOWN, UNKNOWN];
  return [0, 1].map((axis) => {
    const along = corners.map((corner) => corner[axis] ?? Number.NaN);
    return cutBox(Math.min(...along), Math.max(...along));
  });
}

/** Of the picture's size; NaN where unknown or without a task. */
interface Fractions {
  readonly place: number;
  readonly extent: number;
}

const UNKNOWN: Fractions = { place: Number.NaN, extent: Number.NaN };
const OUTSIDE = "outside";

function moveAxis(axis: Fractions, move: AxisMove, tasks: AxisTasks): Fractions | typeof OUTSIDE {
  const { place, extent } = axis;
  const [placeKnown, extentKnown] = [!Number.isNaN(place), !Number.isNaN(extent)];
  if (placeKnown && extentKnown) return cutBox(movePlace(move, place), movePlace(move, place + extent));
  if (placeKnown && tasks.extent === null) {
    const moved = movePlace(move, place);
    return isInside(moved) ? { place: moved, extent } : OUTSIDE;
  }
  if (placeKnown) {
    const moved = move.flip ? Number.NaN : movePlace(move, place);
    return { place: isInside(moved) ? moved : Number.NaN, extent };
  }
  const cutUnknown = tasks.place !== null && (move.scale !== 1 || move.shift !== 0);
  return { place, extent: cutUnknown ? Number.NaN : Math.min(1, move.scale * extent) };
}

/** A figure whose axes cannot be told apart while it moves. */
function moveFigure(
  figure: FigureTasks,
  [x, y]: readonly [Fractions, Fractions],
  moves: Moves,
): (Fractions | typeof OUTSIDE)[] {
  if (isPoint(figure)) {
    const [movedX, movedY] = moveThrough(moves, [x.place, y.place]);
    if (Number.isNaN(movedX) || Number.isNaN(movedY)) return [UNKNOWN, UNKNOWN];
    if (!isInside(movedX) || !isInside(movedY)) return [OUTSIDE, OUTSIDE];
    return [
      { place: movedX, extent: Number.NaN },
      { place: movedY, extent: Number.NaN },
    ];
  }
  return aroundCorners([x.place, x.place + x.extent], [y.place, y.place + y.extent], moves);
}

function isPoint({ horizontal, vertical }: FigureTasks): boolean {
  return horizontal.extent === null && vertical.extent === null;
}

/** Whether a figure has all that says where it goes when the picture is turned: both places, and both extents or none. */
export function turns({ horizontal, vertical }: FigureTasks): boolean {
  const hasPlaces = horizontal.place !== null && vertical.place !== null;
  return hasPlaces && (horizontal.extent === null) === (vertical.extent === null);
}

/** @param edge, opposite edges of a box, in any order */
function cutBox(edge: number, opposite: number): Fractions | typeof OUTSIDE {
  const [low, high] = edge < opposite ? [edge, opposite] : [opposite, edge];
  if (high <= 0 || low >= 1) return OUTSIDE;
  const place = Math.max(0, low);
  return { place, extent: Math.min(1, high) - place };
}

function isInside(place: number): boolean {
  return place >= 0 && place <= 1;
}

function fractionsOf({ place, extent }: AxisTasks, labels: readonly Labels[], row: number): Fractions {
  return {
    place: place === null ? Number.NaN : (valueAt(place, labels, row) - place.spec.min) / sizeOf(place),
    extent: extent === null ? Number.NaN : valueAt(extent, labels, row) / extent.spec.max,
  };
}

function writeFractions(tasks: AxisTasks, labels: readonly Labels[], row: number, axis: Fractions): void {
  const { place, extent } = tasks;
  if (place !== null) writeValue(place, labels, row, place.spec.min + axis.place * sizeOf(place));
  if (extent !== null) {
    // an extent may not be shorter than its task can say; NaN stays NaN
    writeValue(extent, labels, row, Math.max(extent.spec.min, axis.extent * extent.spec.max));
  }
}

function sizeOf({ spec }: Measure): number {
  return spec.max - spec.min;
}

/** In units of [min, max]. */
function valueAt({ index }: Measure, labels: readonly Labels[], row: number): number {
  const { answers, unitScale } = at(labels, index);
  return f32At(answers, row) / unitScaleAt(unitScale, row);
}

function writeValue({ index }: Measure, labels: readonly Labels[], row: number, value: number): void {
  const { answers, unitScale } = at(labels, index);
  answers[row] = value * unitScaleAt(unitScale, row);
}
