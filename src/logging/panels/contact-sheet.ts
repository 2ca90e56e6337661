/** @file A contact sheet: the best or worst samples of a task as one picture with captions. */
import { at } from "../../arrays.js";
import type { EncodedImage } from "../tensorboard/images.js";
import type { Figure } from "./figures.js";
import type { MaskKey } from "./mask-overlay.js";
import { type OpenedPicture, openPicture, type SamplePicture, type TilePicture } from "./picture.js";
import {
  COLOURS,
  encodePicture,
  type ImageFormat,
  line,
  loadSharp,
  rectangle,
  svgDocument,
  type TextOptions,
  textElement,
} from "./svg.js";
import { fitEnd, fitStart, formatLoss, type TextStyle, textWidth, wrapText } from "./text.js";
import { drawTitle } from "./title.js";

/** One sample of a sheet. */
export interface Tile {
  readonly sample: string;
  readonly loss: number;
  /** What the samples are ranked by instead of the loss, and is shown in its place. */
  readonly measure?: { readonly name: string; readonly value: number };
  /** As they are to be read, e.g. `red, green`. */
  readonly label: string;
  readonly prediction: string;
  /** What is said in the place of both, where nothing was labelled or asked. */
  readonly note?: string;
  readonly picture: SamplePicture;
  /** What is answered, under what is labelled, where both are laid over the picture. */
  readonly below?: SamplePicture;
  readonly figures: readonly Figure[];
}

export interface ContactSheet {
  readonly title: string;
  /** What the tiles are, e.g. `worst 10 of 213 on valid`. */
  readonly subtitle: string;
  readonly tiles: readonly Tile[];
  /** What is shown as the answer beside the label, where it is not what is predicted: `repaired`. */
  readonly answer?: string;
  /** What colours laid over the pictures stand for. */
  readonly keys?: readonly MaskKey[];
}

// TensorBoard shows a sheet at a third to a half of its size: 26 pixels are the smallest letters that stay readable.
// Its cards are wider than high, hence the few rows
const WIDTH = 848;
const MARGIN = 12;
const GAP = 10;
const COLUMNS = 5;
const PADDING = 6;
const SIDE = 144;
const TILE_WIDTH = SIDE + 2 * PADDING;
const LEADING = 30;
const HEADER_HEIGHT = 92;
const MOST_LINES = 2;

const PLAIN: TextStyle = { size: 26, weight: 400 };
const STRONG: TextStyle = { size: 26, weight: 600 };
const ARROW = "→ ";

interface Place {
  readonly x: number;
  readonly y: number;
}

/** A tile's lines of text. */
interface Caption {
  readonly note: readonly string[];
  readonly label: readonly string[];
  readonly prediction: readonly string[];
}

/** Draws a sheet of 848 pixels in width; its height follows the number of tiles and the length of the answers. */
export async function drawContactSheet(sheet: ContactSheet, format: ImageFormat): Promise<EncodedImage> {
  const captions = sheet.tiles.map(
    ({ label, prediction, note }): Caption =>
      note === undefined
        ? {
            note: [],
            label: wrapText(label, MOST_LINES, SIDE, STRONG),
            prediction: wrapText(ARROW + prediction, MOST_LINES, SIDE, STRONG),
          }
        : { note: wrapText(note, MOST_LINES, SIDE, PLAIN), label: [], prediction: [] },
  );
  const lines = Math.max(
    ...captions.map(({ note, label, prediction }) => note.length + label.length + prediction.length),
  );
  const isAnswered = sheet.tiles.some(({ note }) => note === undefined);
  const hasTwo = sheet.tiles.some(({ below }) => below !== undefined);
  const picturesHeight = hasTwo ? 2 * SIDE + PADDING : SIDE;
  const tileHeight = PADDING + picturesHeight + (lines + 2) * LEADING + 10;
  const rows = Math.ceil(sheet.tiles.length / COLUMNS);
  const keys = placeKeys(sheet.keys ?? []);
  const headerHeight = HEADER_HEIGHT + keys.height;
  const height = headerHeight + rows * (tileHeight + GAP) - GAP + MARGIN;
  const pictures = await Promise.all(sheet.tiles.map(({ picture }) => openPicture(picture, SIDE)));
  const below = await Promise.all(
    sheet.tiles.map((tile) => (tile.below === undefined ? null : openPicture(tile.below, SIDE))),
  );
  const placed = sheet.tiles.map((tile, i) => ({
    tile,
    caption: at(captions, i),
    picture: at(pictures, i),
    below: at(below, i),
    place: placeOf(i, tileHeight, headerHeight),
  }));
  const behind = [
    rectangle(0, 0, WIDTH, height, { fill: COLOURS.paper }),
    ...drawTitle(sheet.title, sheet.subtitle, WIDTH),
    ...(isAnswered
      ? drawLegend(
          legendOf(
            sheet.tiles.some(({ figures }) => figures.length > 0),
            sheet.answer,
          ),
        )
      : []),
    ...keys.marks,
    ...placed.flatMap(({ tile, caption, picture, place }) =>
      drawTile(tile, caption, picture, place, { height: tileHeight, picturesHeight }),
    ),
  ];
  const inFront = placed.flatMap(({ tile, picture, place }) => drawFigures(tile.figures, picture, place));
  const { default: open } = await loadSharp();
  const composed = open(svgDocument(WIDTH, height, behind)).composite([
    ...placed.flatMap(({ picture, place }) => placedPixels(picture, place)),
    ...placed.flatMap(({ below: under, place: { x, y } }) =>
      under === null ? [] : placedPixels(under, { x, y: y + SIDE + PADDING }),
    ),
    ...(inFront.length === 0 ? [] : [{ input: svgDocument(WIDTH, height, inFront), left: 0, top: 0 }]),
  ]);
  return encodePicture(composed, WIDTH, height, format);
}

/** Lines of colours under the subtitle, each with what it stands for. */
function placeKeys(keys: readonly MaskKey[]): { readonly height: number; readonly marks: readonly string[] } {
  if (keys.length === 0) return { height: 0, marks: [] };
  const swatch = 20;
  let [x, line] = [MARGIN, 0];
  const marks = keys.flatMap(({ text, colour }) => {
    const shown = fitEnd(text, WIDTH - 2 * MARGIN - swatch - 8, PLAIN);
    const width = swatch + 8 + textWidth(shown, PLAIN);
    if (x > MARGIN && x + width > WIDTH - MARGIN) [x, line] = [MARGIN, line + 1];
    const baseline = HEADER_HEIGHT + 18 + line * LEADING;
    const mark = [
      rectangle(x, baseline - swatch + 1, swatch, swatch, { fill: colour, radius: 3 }),
      textElement(shown, x + swatch + 8, baseline, PLAIN),
    ];
    x += width + 22;
    return mark;
  });
  return { height: (line + 1) * LEADING + 4, marks };
}

function placeOf(tile: number, tileHeight: number, headerHeight: number): Place {
  return {
    x: MARGIN + (tile % COLUMNS) * (TILE_WIDTH + GAP),
    y: headerHeight + Math.floor(tile / COLUMNS) * (tileHeight + GAP),
  };
}

const TRUTH_STROKE = { colour: COLOURS.truthMark, width: 3 };
const PREDICTION_STROKE = { colour: COLOURS.predictionMark, width: 3, dashes: "8 5" };
/** Keeps lines visible on a ground of their own colour. */
const HALO = { colour: "rgba(10,16,26,0.75)", width: 6 };
const SWATCH = 36;

/** What one colour or line of a sheet stands for. */
interface LegendEntry {
  readonly text: string;
  readonly colour: string;
  /** Of the lines on the pictures. */
  readonly stroke: { readonly colour: string; readonly width: number; readonly dashes?: string } | null;
}

/**
 * What the colours of the captions stand for, and the lines on the pictures where there are any.
 * @param answer what the captions say instead of what is predicted, which the lines still are
 */
export function legendOf(lines: boolean, answer?: string): LegendEntry[] {
  const colour = COLOURS.prediction;
  const predicted = {
    text: `${answer === undefined ? ARROW : ""}predicted`,
    colour,
    stroke: lines ? PREDICTION_STROKE : null,
  };
  return [
    { text: "label", colour: COLOURS.truth, stroke: lines ? TRUTH_STROKE : null },
    ...(answer === undefined || lines ? [predicted] : []),
    ...(answer === undefined ? [] : [{ text: ARROW + answer, colour, stroke: null }]),
  ];
}

/** At the right end of the subtitle. */
function drawLegend(entries: readonly LegendEntry[]): string[] {
  const baseline = 76;
  const y = baseline - 9;
  let right = WIDTH - MARGIN;
  return entries.toReversed().flatMap(({ text, colour, stroke }) => {
    const left = right - textWidth(text, PLAIN);
    const start = left - SWATCH - 8;
    right = (stroke === null ? left : start) - 18;
    const inset = stroke === TRUTH_STROKE ? 2 : 0;
    const sample =
      stroke === null
        ? []
        : [line(start, y, start + SWATCH, y, HALO), line(start + inset, y, start + SWATCH - inset, y, stroke)];
    return [...sample, textElement(text, left, baseline, { ...PLAIN, colour })];
  });
}

function drawTile(
  tile: Tile,
  caption: Caption,
  picture: OpenedPicture,
  { x, y }: Place,
  { height, picturesHeight }: { readonly height: number; readonly picturesHeight: number },
): string[] {
  const left = x + PADDING;
  const top = y + PADDING + picturesHeight + LEADING - 2;
  const id = fitStart(tile.sample, SIDE, PLAIN);
  return [
    rectangle(x, y, TILE_WIDTH, height, { fill: COLOURS.card, radius: 8 }),
    ...drawStandIn(picture, { x: left, y: y + PADDING }),
    ...(tile.below === undefined
      ? []
      : [rectangle(left, y + 2 * PADDING + SIDE, SIDE, SIDE, { fill: COLOURS.frame, radius: 4 })]),
    textElement(fitEnd(rankOf(tile), SIDE, PLAIN), left, top, PLAIN),
    ...drawLines(caption.note, left, top + LEADING, PLAIN),
    ...drawLines(caption.label, left, top + LEADING, { ...STRONG, colour: COLOURS.truth }),
    ...drawLines(caption.prediction, left, top + LEADING * (1 + caption.label.length), {
      ...STRONG,
      colour: COLOURS.prediction,
    }),
    textElement(id, left, y + height - 12, { ...PLAIN, colour: COLOURS.muted }),
  ];
}

/** What stands where there is no picture: the sample's words, or why it cannot be shown. */
function drawStandIn(picture: OpenedPicture, { x, y }: Place): string[] {
  const frame = rectangle(x, y, SIDE, SIDE, { fill: COLOURS.frame, radius: 4 });
  switch (picture.kind) {
    case "tile":
      return [frame];
    case "text":
      return [
        rectangle(x, y, SIDE, SIDE, { fill: COLOURS.paper, radius: 4, stroke: COLOURS.line }),
        ...drawLines(wrapText(picture.text, 4, SIDE - 12, PLAIN), x + 6, y + 30, PLAIN),
      ];
    case "missing": {
      const lines = wrapText(`image ${picture.reason}`, 4, SIDE - 8, PLAIN);
      const top = y + SIDE / 2 - ((lines.length - 1) * LEADING) / 2 + 9;
      const style: TextOptions = { ...PLAIN, colour: COLOURS.muted, anchor: "middle" };
      return [frame, ...drawLines(lines, x + SIDE / 2, top, style)];
    }
    default:
      return picture satisfies never;
  }
}

function drawLines(lines: readonly string[], x: number, y: number, style: TextOptions): string[] {
  return lines.map((text, i) => textElement(text, x, y + i * LEADING, style));
}

/** Where a picture lies on the sheet: in the middle of its square. */
function cornerOf({ width, height }: TilePicture, { x, y }: Place): Place {
  return { x: x + PADDING + Math.floor((SIDE - width) / 2), y: y + PADDING + Math.floor((SIDE - height) / 2) };
}

function placedPixels(opened: OpenedPicture, place: Place) {
  if (opened.kind !== "tile") return [];
  const { pixels, width, height } = opened.tile;
  const { x, y } = cornerOf(opened.tile, place);
  return [{ input: pixels, raw: { width, height, channels: 3 as const }, left: x, top: y }];
}

/** Shapes over a picture, cut off at its edges. */
function drawFigures(figures: readonly Figure[], opened: OpenedPicture, place: Place): string[] {
  if (opened.kind !== "tile" || figures.length === 0) return [];
  const { width, height } = opened.tile;
  const { x, y } = cornerOf(opened.tile, place);
  const marks = figures.map((figure) => drawFigure(figure, width, height)).join("");
  return [`<svg x="${x}" y="${y}" width="${width}" height="${height}" overflow="hidden">${marks}</svg>`];
}

function drawFigure({ source, shape }: Figure, width: number, height: number): string {
  const stroke = source === "truth" ? TRUTH_STROKE : PREDICTION_STROKE;
  const dashes = "dashes" in stroke ? ` stroke-dasharray="${stroke.dashes}"` : "";
  const path = shapePath(shape, width, height);
  return [
    `<path d="${path}" fill="none" stroke="${HALO.colour}" stroke-width="${HALO.width}"/>`,
    `<path d="${path}" fill="none" stroke="${stroke.colour}" stroke-width="${stroke.width}"${dashes}/>`,
  ].join("");
}

function shapePath(shape: Figure["shape"], width: number, height: number): string {
  const pixels = (fraction: number, side: number): number => Math.round(fraction * side * 10) / 10;
  const [x, y] = [pixels(shape.x, width), pixels(shape.y, height)];
  switch (shape.kind) {
    case "box":
      return `M${x} ${y}h${pixels(shape.width, width)}v${pixels(shape.height, height)}h${-pixels(shape.width, width)}z`;
    case "point":
      return `M${x - 9} ${y}h18M${x} ${y - 9}v18`;
    default:
      return shape satisfies never;
  }
}

/** What a tile is ranked by, in words. */
/** Names of measures are as wide as a tile; their values must stay. */
const MEASURES: Readonly<Record<string, string>> = { iou: "IoU", mean_iou: "mIoU", absolute_error: "error" };

function rankOf({ loss, measure }: Tile): string {
  if (measure === undefined) return `loss ${formatLoss(loss)}`;
  return `${MEASURES[measure.name] ?? measure.name} ${Number(measure.value.toPrecision(3))}`;
}
