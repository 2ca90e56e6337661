/** @file Many curves as charts: one where they are few, else one for each metric of each task. */
import type { PlotCurve } from "./curve.js";

/** A curve of a run, by the parts of its name. */
export interface NamedCurve extends Omit<PlotCurve, "name"> {
  /** Name of the run, or of the group of runs. */
  readonly run: string;
  readonly split: string;
  readonly taskPath: string;
  readonly metricName: string;
}

export interface CurvePanel {
  readonly title: string;
  /** One for each label of all panels, in their order; without points where this panel has none. */
  readonly curves: readonly PlotCurve[];
}

export interface CurvePanels {
  /** What the curves are called in legends; the place of one is that of its curve in every panel. */
  readonly labels: readonly string[];
  readonly panels: readonly CurvePanel[];
  /** Labels that are left out, because nobody could tell so many curves apart. */
  readonly hiddenLabels: readonly string[];
}

/** Curves that one chart can show. */
const MOST_CURVES = 8;

/** Labels say what differs between the curves of a panel, titles what is the same. */
export function panelsOf(curves: readonly NamedCurve[]): CurvePanels {
  const isOne = curves.length <= MOST_CURVES;
  const panelOf = ({ taskPath, metricName }: NamedCurve): string => (isOne ? "" : `${taskPath}/${metricName}`);
  const titles = [...new Set(curves.map(panelOf))];
  const labelOf = labelling(curves, isOne);
  const all = [...new Set(curves.map(labelOf))];
  const labels = all.slice(0, MOST_CURVES);
  const runs = new Set(curves.map(({ run }) => run));
  // where legends do not say it
  const ofRun = isOne && runs.size === 1 && !labels.some((label) => runs.has(label)) ? [...runs] : [];
  const panels = titles.map((title) => {
    const own = curves.filter((curve) => panelOf(curve) === title);
    return {
      title: [isOne ? commonName(own) : withSplit(own, title), ...ofRun].filter((part) => part !== "").join(", "),
      curves: labels.map((label): PlotCurve => {
        const found = own.find((curve) => labelOf(curve) === label);
        return found === undefined ? { name: label, points: [] } : { ...found, name: label };
      }),
    };
  });
  const shown = panels.filter(({ curves: own }) => own.some(({ points }) => points.length > 0));
  return { labels, panels: shown, hiddenLabels: all.slice(MOST_CURVES) };
}

function labelling(curves: readonly NamedCurve[], isOne: boolean): (curve: NamedCurve) => string {
  const differ = (part: (curve: NamedCurve) => string): boolean => new Set(curves.map(part)).size > 1;
  const hasRuns = differ(({ run }) => run);
  const hasSplits = differ(({ split }) => split);
  const hasNames = isOne && differ(({ taskPath, metricName }) => `${taskPath}/${metricName}`);
  return ({ run, split, taskPath, metricName }) => {
    const name = hasNames ? `${split}/${taskPath}/${metricName}` : hasSplits ? split : "";
    const parts = [...(hasRuns ? [run] : []), ...(name === "" ? [] : [name])];
    return parts.length === 0 ? run : parts.join(" ");
  };
}

/** What all curves of a panel share of their names. */
function commonName(curves: readonly NamedCurve[]): string {
  const names = new Set(curves.map(({ taskPath, metricName }) => `${taskPath}/${metricName}`));
  const [first] = names;
  return names.size === 1 && first !== undefined ? withSplit(curves, first) : "";
}

function withSplit(curves: readonly NamedCurve[], name: string): string {
  const splits = new Set(curves.map(({ split }) => split));
  const [split] = splits;
  return splits.size === 1 && split !== undefined ? `${split}/${name}` : name;
}
