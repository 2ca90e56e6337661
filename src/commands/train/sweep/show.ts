/** @file `cool sweep show`: the trials of a study, what makes the difference, and pictures of both. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { coloured } from "../../../cli/plots/colours.js";
import { textPlot } from "../../../cli/plots/text-plot.js";
import { bestText } from "../../../cli/sweep/best-text.js";
import { countsText, importanceBars, trialTable } from "../../../cli/sweep/study-tables.js";
import { tableColumns } from "../../../cli/tables/table-layout.js";
import { useColour } from "../../../cli/tables/tables.js";
import { UsageError } from "../../../errors.js";
import { svgToPng } from "../../../logging/panels/svg.js";
import type { CurvePanel } from "../../../plotting/panels.js";
import { type ParallelPlot, parallelText } from "../../../plotting/parallel.js";
import { explained } from "../../../storage/database/store-errors.js";
import { definitionOf, findStudy, type StudyDocument, studyDocument } from "../../../sweeping/study/study-document.js";
import { parallelOf, slicesOf, studySvg } from "../../../sweeping/study/study-pictures.js";

const SCALE = 2;
const TEXT_ROWS = 16;

export default class SweepShow extends CoolCommand {
  static override summary = "Show the trials of a study, and which settings make the difference";
  static override description =
    "A line of the picture is a trial, from its settings to its objective at the right; the three best that finished stand out (of several objectives, those that no other is better than). Below it the objective stands over each setting. The importance of a setting is its share of the variance of a random forest over the space (fANOVA).";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> rates --limit 5",
    "<%= config.bin %> <%= command.id %> rates --png rates.png",
  ];
  static override args = { study: Args.string({ description: "name, id or latest", default: "latest" }) };
  static override flags = {
    limit: Flags.integer({ summary: "at most so many trials, the best first", default: 20, min: 1 }),
    png: Flags.string({ summary: "write the pictures as a PNG file instead", helpValue: "FILE" }),
    svg: Flags.string({ summary: "write them as an SVG file instead", helpValue: "FILE" }),
    theme: Flags.option({
      summary: "colours of a picture",
      options: ["light", "dark"] as const,
      default: "light" as const,
    })(),
  };

  async run(): Promise<StudyDocument & { readonly files?: readonly string[] }> {
    const { args, flags } = await this.parse(SweepShow);
    for (const format of ["png", "svg"] as const) {
      const file = flags[format];
      if (file !== undefined && extname(file).toLowerCase() !== `.${format}`) {
        throw new UsageError(`--${format} ${file} has another ending. Name a file that ends in .${format}.`, {
          file,
          format,
        });
      }
    }
    const { document, parallel, slices } = await this.withStore(flags, (store) => {
      const group = findStudy(store, args.study);
      const found = studyDocument(store, group);
      const { space } = definitionOf(store, group);
      return { document: found, parallel: parallelOf(space, found), slices: slicesOf(space, found) };
    });
    const files = await writePictures(() => studySvg(parallel, slices, flags.theme), flags);
    if (files.length > 0) this.log(`${parallel.lines.length} trials written to ${files.join(" and ")}`);
    else {
      this.log(trialTable(document, flags.limit));
      for (const line of importanceBars(document)) this.log(line);
      if (parallel.lines.length > 1) this.#draw(parallel, slices);
      this.log(
        `study ${document.study.name}: ${countsText(document.study)}, ${document.study.epochs_done} epochs in all`,
      );
      const best = bestText(document);
      if (best !== null) this.logText(best);
    }
    return files.length > 0 ? { ...document, files } : document;
  }

  #draw(parallel: ParallelPlot, slices: readonly CurvePanel[]): void {
    const width = Math.min(tableColumns(), 200);
    const colour = useColour();
    const lines = parallelText(parallel, width - 1, TEXT_ROWS).map((line) =>
      line
        .map(({ text, role }) => (colour ? coloured(text, role) : text))
        .join("")
        .trimEnd(),
    );
    this.log(lines.join("\n"));
    this.log(textPlot({ panels: slices, labels: [], hiddenLabels: [] }, { width, height: null, colour, isDots: true }));
  }
}

interface PictureFlags {
  readonly png?: string | undefined;
  readonly svg?: string | undefined;
}

async function writePictures(draw: () => string, { png, svg }: PictureFlags): Promise<string[]> {
  if (png === undefined && svg === undefined) return [];
  const drawing = draw();
  const files = [
    ...(svg === undefined ? [] : [[svg, drawing] as const]),
    ...(png === undefined ? [] : [[png, await svgToPng(drawing, SCALE)] as const]),
  ];
  for (const [file, content] of files) {
    explained(file, () => {
      mkdirSync(dirname(resolve(file)), { recursive: true });
      writeFileSync(file, content);
    });
  }
  return files.map(([file]) => file);
}
