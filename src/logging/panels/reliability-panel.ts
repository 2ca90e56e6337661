/** @file A reliability diagram: how often answers given with probability p are right, and how many there are. */
import type { Calibration, CalibrationBin } from "../../analysis/calibration/reliability.js";
import type { EncodedImage } from "../tensorboard/images.js";
import { COLOURS, encodeDrawing, type ImageFormat, line, rectangle, textElement } from "./svg.js";
import type { TextStyle } from "./text.js";
import { drawTitle } from "./title.js";

const WIDTH = 848;
const LEFT = 108;
const TOP = 108;
const PLOT_WIDTH = 620;
const PLOT_HEIGHT = 380;
const COUNTS_TOP = TOP + PLOT_HEIGHT + 20;
const COUNTS_HEIGHT = 84;
const HEIGHT = COUNTS_TOP + COUNTS_HEIGHT + 84;
const RIGHT = LEFT + PLOT_WIDTH;
const BOTTOM = TOP + PLOT_HEIGHT;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
const PLAIN: TextStyle = { size: 26, weight: 400 };

/** Bars of observed shares against the diagonal of a calibrated network; below, answers per bin. */
export function drawReliabilityDiagram(
  title: string,
  subtitle: string,
  { bins }: Calibration,
  format: ImageFormat,
): Promise<EncodedImage> {
  const elements = [
    rectangle(0, 0, WIDTH, HEIGHT, { fill: COLOURS.paper }),
    ...drawTitle(title, subtitle, WIDTH),
    ...drawAxes(),
    ...bins.flatMap(drawBar),
    line(LEFT, BOTTOM, RIGHT, TOP, { colour: COLOURS.muted, width: 3, dashes: "10 8" }),
    ...bins.flatMap(drawPoint),
    ...drawCounts(bins),
  ];
  return encodeDrawing(WIDTH, HEIGHT, elements, format);
}

const xOf = (probability: number): number => LEFT + probability * PLOT_WIDTH;
const yOf = (share: number): number => BOTTOM - share * PLOT_HEIGHT;

function drawAxes(): string[] {
  const style = { ...PLAIN, colour: COLOURS.muted };
  const middle = TOP + PLOT_HEIGHT / 2;
  return [
    ...TICKS.flatMap((tick) => [
      line(LEFT, yOf(tick), RIGHT, yOf(tick), { colour: COLOURS.line }),
      textElement(String(tick), LEFT - 12, yOf(tick) + 9, { ...style, anchor: "end" }),
      textElement(String(tick), xOf(tick), COUNTS_TOP + COUNTS_HEIGHT + 34, { ...style, anchor: "middle" }),
    ]),
    textElement("observed share", 36, middle, { ...PLAIN, anchor: "middle", rotate: -90 }),
    textElement("probability given by the network", LEFT + PLOT_WIDTH / 2, COUNTS_TOP + COUNTS_HEIGHT + 68, {
      ...PLAIN,
      anchor: "middle",
    }),
  ];
}

function drawBar({ lower, upper, shareOfYes }: CalibrationBin): string[] {
  if (shareOfYes === null) return [];
  const width = xOf(upper) - xOf(lower) - 4;
  const height = Math.max(2, shareOfYes * PLOT_HEIGHT);
  return [rectangle(xOf(lower) + 2, BOTTOM - height, width, height, { fill: "#c9d8f0" })];
}

/** Where the bin's answers really lie: their mean probability. */
function drawPoint({ meanScore, shareOfYes }: CalibrationBin): string[] {
  if (meanScore === null || shareOfYes === null) return [];
  const [x, y] = [xOf(meanScore), yOf(shareOfYes)];
  return [
    line(x, y, x, yOf(meanScore), { colour: COLOURS.prediction, width: 4 }),
    `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="8" fill="${COLOURS.accent}" stroke="${COLOURS.paper}" stroke-width="2"/>`,
  ];
}

function drawCounts(bins: readonly CalibrationBin[]): string[] {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const bottom = COUNTS_TOP + COUNTS_HEIGHT;
  return [
    line(LEFT, bottom, RIGHT, bottom, { colour: COLOURS.line }),
    ...bins.map(({ lower, upper, count }) => {
      const height = (count / most) * COUNTS_HEIGHT;
      return rectangle(xOf(lower) + 2, bottom - height, xOf(upper) - xOf(lower) - 4, height, { fill: COLOURS.accent });
    }),
    textElement(String(most), RIGHT + 12, COUNTS_TOP + 20, { ...PLAIN, colour: COLOURS.muted }),
    textElement("answers", RIGHT + 12, COUNTS_TOP + 50, { ...PLAIN, colour: COLOURS.muted }),
  ];
}
