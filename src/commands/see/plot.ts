/** @file `cool plot`: curves of runs in the terminal, or as a picture. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { numberFlag } from "../../cli/number-flag.js";
import { hiddenLabels, hiddenValues, textPlot } from "../../cli/plots/text-plot.js";
import { tableColumns } from "../../cli/tables/table-layout.js";
import { useColour } from "../../cli/tables/tables.js";
import { type DrawnCurve, drawnCurves, X_AXES, type XAxis } from "../../comparing/curves.js";
import { UsageError } from "../../errors.js";
import { svgToPng } from "../../logging/panels/svg.js";
import { type CurvePanels, panelsOf } from "../../plotting/panels.js";
import { svgChart, type Theme } from "../../plotting/svg-chart.js";
import type { AxisUnit } from "../../plotting/ticks.js";
import { explained } from "../../storage/database/store-errors.js";

const UNITS: Readonly<Record<XAxis, AxisUnit>> = { step: "whole", epoch: "whole", time: "seconds" };
/** Of a picture whose size nobody says. */
const PICTURE = { width: 960, panelHeight: 320, height: 540, scale: 2 } as const;
const MOST_PICTURED = 24;

interface PlotJson {
  readonly x: XAxis;
  readonly smooth: number;
  readonly curves: readonly CurveJson[];
  readonly files?: readonly string[];
}

interface CurveJson {
  readonly name: string;
  readonly runs: readonly string[];
  readonly split: string;
  readonly task_path: string;
  readonly metric_name: string;
  readonly x: readonly number[];
  /** null where it is undefined, NaN or infinite. */
  readonly value: readonly (number | null)[];
  /** Before smoothing. */
  readonly raw?: readonly (number | null)[];
  /** Of a group: one standard deviation on either side, where two runs or more have a value. */
  readonly band?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
}

export default class Plot extends CoolCommand {
  static override summary = "Draw curves of runs in the terminal, or as PNG or SVG";
  static override description =
    `Curves are named split/task/metric, as conditions name them: * stands for anything but a slash, ** for anything; without a split (_total/loss) all splits are meant. Default: what the first run is monitored by. Of a group of runs, such as folds, the mean is drawn, with one standard deviation on either side.

More than eight curves are drawn as one chart for each metric of each task. Without colour each curve has a letter.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> base wide --metric 'valid/*/f1_score'",
    "<%= config.bin %> <%= command.id %> base --metric _total/loss --log --smooth 0.6 --x epoch",
    "<%= config.bin %> <%= command.id %> base wide --metric '*/_total/loss' --png loss.png",
  ];
  static override strict = false;
  static override args = {
    run: Args.string({ description: `one run or more, or groups of runs: ${RUN_HELP}`, default: "latest" }),
  };
  static override flags = {
    metric: Flags.string({
      char: "m",
      summary: "curves to draw: split/task/metric, with stars; several: all of them",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME",
    }),
    x: Flags.option({ summary: "what the x axis counts", options: X_AXES, default: "step" as const })(),
    smooth: numberFlag("smooth", {
      summary: "weight of earlier values, as TensorBoard smooths; what was measured stays faint behind",
      min: 0,
      max: 0.9999,
    })(),
    log: Flags.boolean({ summary: "a logarithmic y axis" }),
    width: Flags.integer({ summary: "columns (of a picture: pixels)", min: 20, max: 10_000 }),
    height: Flags.integer({ summary: "rows (of a picture: pixels)", min: 5, max: 10_000 }),
    png: Flags.string({ summary: "write a PNG file instead", helpValue: "FILE" }),
    svg: Flags.string({ summary: "write an SVG file instead", helpValue: "FILE" }),
    theme: Flags.option({
      summary: "colours of a picture",
      options: ["light", "dark"] as const,
      default: "light" as const,
    })(),
  };

  async run(): Promise<PlotJson> {
    const { args, argv, flags } = await this.parse(Plot);
    checkEndings(flags);
    const { x, smooth = 0, log } = flags;
    const references = argv.length === 0 ? [args.run] : (argv as string[]);
    const { curves, notes } = await this.withStore(flags, (store) =>
      drawnCurves(store, references, { metrics: flags.metric ?? [], x, smooth }),
    );
    for (const note of notes) this.note(note);
    const plot = panelsOf(curves);
    const axis = { log, xUnit: UNITS[x], xLabel: x };
    const files = await this.#writePictures(plot, { ...flags, axis });
    if (this.jsonEnabled()) return { x, smooth, curves: curves.map(curveJson), ...(files.length > 0 ? { files } : {}) };
    if (files.length > 0)
      this.log(`${curves.length} curve${curves.length === 1 ? "" : "s"} written to ${files.join(" and ")}`);
    else {
      const width = flags.width ?? Math.min(tableColumns(), 1000);
      // the prompt below it has a row, too
      const height =
        flags.height ??
        (process.stdout.isTTY && process.stdout.rows > 1 && plot.panels.length === 1 ? process.stdout.rows - 1 : null);
      this.log(textPlot(plot, { width, height, colour: useColour(), ...axis }));
    }
    return { x, smooth, curves: [] };
  }

  async #writePictures(
    plot: CurvePanels,
    options: {
      readonly png?: string | undefined;
      readonly svg?: string | undefined;
      readonly width?: number | undefined;
      readonly height?: number | undefined;
      readonly theme: Theme;
      readonly axis: { readonly log: boolean; readonly xUnit: AxisUnit; readonly xLabel: string };
    },
  ): Promise<string[]> {
    const { png, svg, theme, axis } = options;
    if (png === undefined && svg === undefined) return [];
    const panels = plot.panels.slice(0, MOST_PICTURED);
    const hidden = plot.panels.length - panels.length;
    const notes = [
      ...hiddenValues(panels, axis.log),
      ...hiddenLabels(plot),
      ...(hidden > 0 ? [`… ${hidden} more charts are not shown: --metric names fewer`] : []),
    ];
    const width = options.width ?? PICTURE.width;
    const rows = Math.ceil(panels.length / Math.max(1, Math.floor(width / 420)));
    const height = options.height ?? (panels.length === 1 ? PICTURE.height : rows * PICTURE.panelHeight);
    const note = notes.length === 0 ? {} : { note: notes.join("; ") };
    const drawing = svgChart(panels, { width, height, theme, ...axis, ...note });
    if (svg !== undefined) writePicture(svg, drawing);
    if (png !== undefined) writePicture(png, await svgToPng(drawing, PICTURE.scale));
    return [png, svg].filter((file) => file !== undefined);
  }
}

function writePicture(file: string, content: string | Uint8Array): void {
  explained(file, () => {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    writeFileSync(file, content);
  });
}

function checkEndings(files: { readonly png?: string | undefined; readonly svg?: string | undefined }): void {
  for (const format of ["png", "svg"] as const) {
    const file = files[format];
    if (file === undefined || extname(file).toLowerCase() === `.${format}`) continue;
    throw new UsageError(`--${format} ${file} has another ending. Name a file that ends in .${format}.`, {
      file,
      format,
    });
  }
}

function curveJson({ run, runs, split, taskPath, metricName, points, raw, band }: DrawnCurve): CurveJson {
  const value = (y: number): number | null => (Number.isFinite(y) ? y : null);
  return {
    name: run,
    runs,
    split,
    task_path: taskPath,
    metric_name: metricName,
    x: points.map((point) => point.x),
    value: points.map(({ y }) => value(y)),
    ...(raw === undefined ? {} : { raw: raw.map(({ y }) => value(y)) }),
    ...(band === undefined ? {} : { band }),
  };
}
