/** @file Curves as text for a terminal or a pipe: charts, a legend, and what is not shown. */
import { countHidden, frameOf } from "../../plotting/frame.js";
import type { CurvePanel, CurvePanels } from "../../plotting/panels.js";
import { type ChartLine, letterOf, type TextChartOptions, textChart } from "../../plotting/text-chart.js";
import { valueLabel } from "../../plotting/ticks.js";
import { clipMiddle, displayWidth } from "../tables/display-width.js";
import { cellText } from "../text.js";
import { coloured } from "./colours.js";

export interface TextPlotOptions extends Pick<TextChartOptions, "log" | "xUnit" | "xLabel"> {
  readonly width: number;
  /** Rows in all, as far as one chart or a row of them can be so low; null: as many rows of charts as there are. */
  readonly height: number | null;
  readonly colour: boolean;
  /** Curves are dots with gaps between them: nothing is said of those. */
  readonly isDots?: boolean;
}

/** Rows of one of several charts. */
const SMALL_ROWS = 10;
const SMALL_COLUMNS = 40;
const MOST_PANELS = 12;
const LEAST_ROWS = 5;
const USUAL_ROWS = 24;

/** All that is printed, no line wider than `width`. */
export function textPlot(plot: CurvePanels, options: TextPlotOptions): string {
  const { width, height, log = false } = options;
  const { panels } = plot;
  const legend = legendLines(plot, options);
  const [only] = panels;
  if (only === undefined) return "";
  if (panels.length === 1) {
    const notes = [...(options.isDots === true ? [] : hiddenValues(panels, log)), ...hiddenLabels(plot)];
    const rows = (height ?? USUAL_ROWS) - legend.length - notes.length;
    return [...panelLines(only, width, Math.max(LEAST_ROWS, rows), options), ...legend, ...notes].join("\n");
  }
  const across = Math.max(1, Math.min(panels.length, Math.floor(width / SMALL_COLUMNS)));
  const rowsOfCharts =
    height === null ? MOST_PANELS / across : Math.max(1, Math.floor((height - legend.length) / SMALL_ROWS));
  const shown = panels.slice(0, Math.max(across, Math.floor(rowsOfCharts) * across));
  const lines: string[] = [];
  for (let i = 0; i < shown.length; i += across) {
    const columns = Math.floor(width / across);
    const row = shown.slice(i, i + across).map((panel) => panelLines(panel, columns - 1, SMALL_ROWS, options));
    for (let line = 0; line < SMALL_ROWS; line += 1) {
      lines.push(
        row
          .map((own) => padTo(own[line] ?? "", columns))
          .join("")
          .trimEnd(),
      );
    }
  }
  return [
    ...lines,
    ...legend,
    ...(options.isDots === true ? [] : hiddenValues(shown, log)),
    ...hiddenLabels(plot),
    ...hiddenPanels(panels.slice(shown.length), width),
  ].join("\n");
}

function panelLines(panel: CurvePanel, width: number, height: number, options: TextPlotOptions): string[] {
  const { colour, log, xUnit, xLabel } = options;
  const title = panel.title === "" ? [] : [clipMiddle(cellText(panel.title), width)];
  const rest = {
    ...(log === undefined ? {} : { log }),
    ...(xUnit === undefined ? {} : { xUnit }),
    ...(xLabel === undefined ? {} : { xLabel }),
  };
  const chart = textChart(panel.curves, { width, height: height - title.length, colour, ...rest });
  return [...title, ...chart.map((line) => lineText(line, colour))];
}

function lineText(line: ChartLine, colour: boolean): string {
  return line.map(({ text, role }) => (colour ? coloured(text, role) : text)).join("");
}

/** Colours take no columns. */
function padTo(text: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  const own = displayWidth(text.replaceAll(/\x1b\[\d+m/g, ""));
  return text + " ".repeat(Math.max(0, columns - own));
}

const GAP = "   ";

/** `a name 0.1234`, as many on a line as fit. */
function legendLines({ labels, panels }: CurvePanels, { width, colour }: TextPlotOptions): string[] {
  const [only] = panels;
  const entries = labels.map((label, index) => {
    const points = panels.length === 1 ? (only?.curves[index]?.points ?? []) : [];
    const last = points.at(-1);
    const value = last === undefined ? "" : `  ${valueLabel(last.y)}`;
    const name = clipMiddle(cellText(label), width - value.length - 2);
    const plain = `${letterOf(index)} ${name}${value}`;
    return {
      width: displayWidth(plain),
      text: colour ? `${coloured(`${letterOf(index)} ${name}`, index)}${value}` : plain,
    };
  });
  const lines: { width: number; text: string }[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last === undefined || last.width + GAP.length + entry.width > width) lines.push({ ...entry });
    else {
      last.text += GAP + entry.text;
      last.width += GAP.length + entry.width;
    }
  }
  return lines.map(({ text }) => text);
}

/** What the charts cannot show, in words. */
export function hiddenValues(panels: readonly CurvePanel[], log: boolean): string[] {
  const counts = panels.map(({ curves }) => countHidden(curves, frameOf(curves, log)));
  const sum = (key: "gaps" | "notPositive"): number => counts.reduce((all, own) => all + own[key], 0);
  const [gaps, notPositive] = [sum("gaps"), sum("notPositive")];
  return [
    ...(gaps > 0 ? [`${gaps} value${gaps === 1 ? " is" : "s are"} NaN, infinite or undefined: gaps`] : []),
    ...(notPositive > 0
      ? [`${notPositive} value${notPositive === 1 ? "" : "s"} of zero or below: no place on a log axis`]
      : []),
  ];
}

export function hiddenLabels({ hiddenLabels: hidden }: CurvePanels): string[] {
  return hidden.length === 0 ? [] : [`… ${hidden.length} more curves per chart are not shown: name fewer runs`];
}

function hiddenPanels(hidden: readonly CurvePanel[], width: number): string[] {
  if (hidden.length === 0) return [];
  const names = hidden.map(({ title }) => cellText(title)).join(", ");
  const start = `… ${hidden.length} more chart${hidden.length === 1 ? "" : "s"} (--metric, --height): `;
  return [clipMiddle(`${start}${names}`, width)];
}
