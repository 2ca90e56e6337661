/** @file Pictures of a study: parallel coordinates of its trials, and the objective along each parameter. */
import type { ParallelPlot } from "../../plotting/parallel.js";
import type { CurvePanel } from "../../plotting/panels.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import { type Parameter, type Space, toEven, toUnit } from "../space/space.js";
import { definitionOf, type ShownTrial, type StudyDocument } from "./study-document.js";

/** Trials with a value, also of pruned ones. */
function valued(trials: readonly ShownTrial[]): { readonly trial: ShownTrial; readonly value: number }[] {
  return trials.flatMap((trial) => {
    const value = trial.objectives[0] ?? null;
    return value === null ? [] : [{ trial, value }];
  });
}

/** The parameters of a study, and at the right end its objective. */
export function parallelOf(store: RunStore, group: RunGroup, { trials, study }: StudyDocument): ParallelPlot {
  const { space } = definitionOf(store, group);
  const points = valued(trials);
  const isMax = study.objectives[0]?.direction === "maximize";
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const order = points.toSorted((a, b) => (isMax ? b.value - a.value : a.value - b.value));
  const ends = space.map((parameter) => ({ name: parameter.name, ...endsOf(parameter) }));
  const objective = { name: study.objectives[0]?.name ?? "", low: text(least), high: text(most) };
  return {
    axes: [...ends, objective],
    lines: order.map(({ trial, value }, i) => ({
      rank: i / Math.max(1, order.length - 1),
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

function endsOf(parameter: Parameter): { readonly low: string; readonly high: string } {
  if (parameter.kind === "range") return { low: text(parameter.low), high: text(parameter.high) };
  const { choices } = parameter;
  return { low: label(choices[0]), high: label(choices.at(-1)) };
}

/** The objective along each parameter, a chart for each; the other parameters are whatever they were. */
export function slicesOf(store: RunStore, group: RunGroup, { trials }: StudyDocument): CurvePanel[] {
  const space: Space = definitionOf(store, group).space;
  return space.map((parameter) => {
    const points = valued(trials)
      .flatMap(({ trial, value }) => {
        const own = trial.values[parameter.name];
        return own === undefined ? [] : [{ x: axisPlace(parameter, own), y: value }];
      })
      .toSorted((a, b) => a.x - b.x);
    // a gap behind each point leaves dots
    const dots = points.flatMap((point) => [point, { x: point.x, y: Number.NaN }]);
    return { title: titleOf(parameter), curves: [{ name: "", points: dots }] };
  });
}

function axisPlace(parameter: Parameter, value: unknown): number {
  if (parameter.kind === "choice") {
    const index = parameter.choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value));
    const numbers = parameter.choices.every((choice) => typeof choice === "number");
    return numbers ? Number(value) : index + 1;
  }
  return parameter.log ? toEven(parameter, Number(value)) / Math.LN10 : Number(value);
}

function titleOf(parameter: Parameter): string {
  if (parameter.kind === "range") return parameter.log ? `log10 ${parameter.name}` : parameter.name;
  const numbers = parameter.choices.every((choice) => typeof choice === "number");
  return numbers
    ? parameter.name
    : `${parameter.name}: ${parameter.choices.map((choice, i) => `${i + 1} ${label(choice)}`).join(", ")}`;
}

function text(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "";
}

function label(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
