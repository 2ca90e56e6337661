/** @file Peak memory against rows or pictures as a drawing: by our own plotting, SVG and PNG beside the results. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { svgToPng } from "../../src/logging/panels/svg.js";
import type { PlotCurve } from "../../src/plotting/curve.js";
import { svgChart } from "../../src/plotting/svg-chart.js";
import { ROOT } from "../report.js";

/** A point of a curve. */
interface Peak {
  readonly command: string;
  readonly format: string;
  /** Rows of a table, each with a picture where the format is one of pictures. */
  readonly rows: number;
  readonly peak_mb: number;
}

/** @returns files that were written, relative to the repository */
export async function drawPeaks(peaks: readonly Peak[]): Promise<string[]> {
  const panels = [
    {
      title: "peak resident memory, MB, by rows",
      curves: curvesOf(peaks.filter(({ format }) => format !== "pictures")),
    },
    {
      title: "peak resident memory, MB, by pictures",
      curves: curvesOf(peaks.filter(({ format }) => format === "pictures")),
    },
  ].filter(({ curves }) => curves.length > 0);
  const drawing = svgChart(panels, { width: 960, height: 420, xUnit: "whole", xLabel: "rows" });
  const files = ["svg", "png"].map((ending) => path.join(ROOT, "bench", "results", `memory.${ending}`));
  const [svg = "", png = ""] = files;
  writeFileSync(svg, drawing);
  writeFileSync(png, await svgToPng(drawing, 2));
  return files.map((file) => path.relative(ROOT, file));
}

function curvesOf(peaks: readonly Peak[]): PlotCurve[] {
  const names = [...new Set(peaks.map(nameOf))];
  return names.map((name) => ({
    name,
    points: peaks
      .filter((one) => nameOf(one) === name)
      .map(({ rows, peak_mb }) => ({ x: rows, y: peak_mb }))
      .sort((a, b) => a.x - b.x),
  }));
}

const nameOf = ({ command, format }: Peak): string => (format === "pictures" ? command : `${command}, ${format}`);
