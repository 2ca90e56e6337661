/** @file `cool explain --masks`: answers to the pixels of pictures, drawn over them. */
import { parse } from "node:path";
import { describeAreas } from "../../analysis/pixels/picture-figures.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { firstPixels, type InputSource } from "../../data/dataset.js";
import { type NamedTable, refuseInputs } from "../../data/tables/read-files.js";
import { areasOf, countedPixels, regionsOf } from "../../decoding/areas.js";
import { ConfigError, UsageError } from "../../errors.js";
import { axisOf, type FlowGraph, isPerPixel, type PixelSpec } from "../../flow/graph.js";
import {
  type MaskKey,
  maskKeys,
  overlaid,
  rangeOf,
  type SeenPixels,
  seenPixels,
} from "../../logging/panels/mask-overlay.js";
import { drawPanels, type GridPanel } from "../../logging/panels/panel-grid.js";
import { writeDrawing } from "../receptive-field-run.js";

/** One picture with the answers to its pixels. */
export interface MaskedPicture {
  readonly input: string;
  /** [height, width, 3] as the network sees it. */
  readonly seen: SeenPixels;
  readonly masks: readonly {
    readonly task: string;
    readonly spec: PixelSpec;
    /** [height * width], NaN where a pixel is not asked. */
    readonly answers: Float32Array;
  }[];
}

/** @throws ConfigError where no task is asked of pixels */
export function assertAsksPixels({ tasks }: Pick<FlowGraph, "tasks">): void {
  if (tasks.some(({ spec }) => axisOf(spec) === "pixel")) return;
  throw new ConfigError(
    'No task of this run is asked of every pixel, so there are no masks to draw. --why draws where in a picture an answer comes from; per: "pixel" asks of pixels.',
    {},
  );
}

/** A picture for each row, with the masks of the tasks that are asked of any of its pixels. */
export async function maskedPictures(
  sources: Readonly<Record<string, InputSource>>,
  scored: ScoredSplit,
): Promise<MaskedPicture[]> {
  const source = firstPixels(sources);
  if (source === undefined) return [];
  const { size, channels } = source.spec;
  return Promise.all(
    scored.ids.map(async (input, row): Promise<MaskedPicture> => {
      const own = { kind: "pixels", pixels: source.read([row]), height: size[0], width: size[1], channels } as const;
      const seen = (await seenPixels(own, size)) ?? new Uint8Array(size[0] * size[1] * 3);
      const masks = scored.tasks.flatMap(({ task: { path, spec }, decoded, activePredicted }) => {
        if (!isPerPixel(spec)) return [];
        const answers = countedPixels(spec, decoded, activePredicted, row);
        return answers === null ? [] : [{ task: path, spec, answers }];
      });
      return { input, seen, masks };
    }),
  );
}

/** A sheet: first the picture, then for each task the picture under its mask. @returns PNG */
export async function drawMasks({ seen, masks }: MaskedPicture, size: PixelSpec["size"]): Promise<Buffer> {
  const [height, width] = size;
  const panels = masks.map(({ task, spec, answers }): GridPanel => {
    const asked = Uint8Array.from(answers, (answer) => (Number.isNaN(answer) ? 0 : 1));
    const areas = areasOf(spec, answers, asked, 0);
    const range = rangeOf([answers]);
    const over = overlaid(spec, seen, answers, range);
    return {
      title: task,
      note: describeAreas(spec, areas),
      pixels: over.kind === "pixels" ? over.pixels : seen,
      keys: withAreas(spec, maskKeys(spec, range), areas),
    };
  });
  return drawPanels(
    [{ title: "input", note: `${width} × ${height}`, pixels: seen }, ...panels],
    { height, width },
    "nearest",
  );
}

function withAreas(spec: PixelSpec, keys: readonly MaskKey[], areas: Float32Array): MaskKey[] {
  const names = regionsOf(spec);
  return keys.map(({ text, colour }) => {
    const area = areas[names.indexOf(text)];
    return { text: area === undefined ? text : `${text} ${(100 * area).toFixed(1)} %`, colour };
  });
}

export interface WrittenMasks {
  readonly input: string;
  readonly file: string;
}

/** What pictures were made of, none of which is written over. */
interface Sources {
  /** As a person names them. */
  readonly inputs: readonly string[];
  readonly tables: readonly NamedTable[];
}

/**
 * Writes a sheet for each picture.
 * @param out file of the only one; default `<picture>.masks.png` here
 * @throws UsageError where several pictures would be written to one file, or one over what it was made of; DataError where
 *   a file cannot be written
 */
export async function writeDrawnMasks(
  pictures: readonly MaskedPicture[],
  { inputs, tables }: Sources,
  out?: string,
): Promise<WrittenMasks[]> {
  if (out !== undefined && pictures.length > 1) {
    throw new UsageError(`--out names one file, and there are ${pictures.length} pictures. Ask about one at a time.`, {
      out,
    });
  }
  if (out !== undefined) await refuseInputs(out, inputs, tables);
  const taken = new Set<string>();
  const written: WrittenMasks[] = [];
  for (const picture of pictures) {
    const [first] = picture.masks;
    if (first === undefined) continue;
    const file = out ?? freeName(parse(picture.input).name, taken);
    writeDrawing(file, await drawMasks(picture, first.spec.size));
    written.push({ input: picture.input, file });
  }
  return written;
}

function freeName(name: string, taken: Set<string>): string {
  let file = `${name}.masks.png`;
  for (let n = 2; taken.has(file); n++) file = `${name}.${n}.masks.png`;
  taken.add(file);
  return file;
}
