/** @file A confusion matrix as a picture. */
import { at } from "../../arrays.js";
import type { ConfusionMatrix } from "../../analysis/confusion.js";
import type { EncodedImage } from "../tensorboard/images.js";
import { COLOURS, encodeDrawing, type ImageFormat, rectangle, textElement } from "./svg.js";
import { fitMiddle, type TextStyle, textWidth } from "./text.js";
import { drawTitle } from "./title.js";

const WIDTH = 848;
const MARGIN = 12;
const HEADER_HEIGHT = 92;
const LARGEST_CELL = { width: 110, height: 60 };
const PLAIN: TextStyle = { size: 26, weight: 400 };
const STRONG: TextStyle = { size: 26, weight: 600 };
/** More classes than this leave no room for numbers and names of their own. */
const MOST_NAMED = 24;
const LONGEST_NAME = 190;
const MOST_COLUMN_ROOM = 150;
const SMALLEST_NUMBER = 14;

interface Cell {
  readonly width: number;
  readonly height: number;
}

/**
 * One row per label, one column per answer; a cell's shade is its share of the row, its number the count. Of very many
 * classes only the shades are drawn.
 */
export function drawConfusionMatrix(
  title: string,
  subtitle: string,
  matrix: ConfusionMatrix,
  format: ImageFormat,
): Promise<EncodedImage> {
  const { classes, counts } = matrix;
  const named = classes.length <= MOST_NAMED;
  const names = classes.map((name) => fitMiddle(name, LONGEST_NAME, PLAIN));
  const nameRoom = named ? Math.max(60, ...names.map((name) => textWidth(name, PLAIN))) + 12 : 0;
  const left = MARGIN + 40 + nameRoom;
  const room = (WIDTH - left - MARGIN) / classes.length;
  const cell: Cell = {
    width: Math.min(room, LARGEST_CELL.width),
    height: Math.min(room, LARGEST_CELL.height),
  };
  const slanted = named && names.some((name) => textWidth(name, PLAIN) > cell.width - 6);
  const columnNames = names.map((name) => fitMiddle(name, slanted ? MOST_COLUMN_ROOM : cell.width, PLAIN));
  const columnRoom = slanted ? Math.max(...columnNames.map((name) => textWidth(name, PLAIN))) + 20 : 38;
  const top = HEADER_HEIGHT + 36 + (named ? columnRoom : 0);
  const [across, down] = [cell.width * classes.length, cell.height * classes.length];
  const height = Math.round(top + down + MARGIN);
  const elements = [
    rectangle(0, 0, WIDTH, height, { fill: COLOURS.paper }),
    ...drawTitle(title, subtitle, WIDTH),
    textElement("predicted", left + across / 2, HEADER_HEIGHT + 26, {
      ...PLAIN,
      colour: COLOURS.prediction,
      anchor: "middle",
    }),
    textElement("label", MARGIN + 22, top + down / 2, {
      ...PLAIN,
      colour: COLOURS.truth,
      anchor: "middle",
      rotate: -90,
    }),
    ...(named ? drawNames(names, columnNames, left, top, cell, slanted) : []),
    ...counts.flatMap((row, i) => drawRow(row, i, left, top, cell, named)),
    rectangle(left, top, across, down, { fill: "none", stroke: COLOURS.line }),
  ];
  return encodeDrawing(WIDTH, height, elements, format);
}

function drawNames(
  names: readonly string[],
  columnNames: readonly string[],
  left: number,
  top: number,
  cell: Cell,
  slanted: boolean,
): string[] {
  return names.flatMap((name, i) => {
    const [middleX, middleY] = [(i + 0.5) * cell.width, (i + 0.5) * cell.height];
    const short = at(columnNames, i);
    return [
      textElement(name, left - 10, top + middleY + 9, { ...PLAIN, anchor: "end" }),
      slanted
        ? textElement(short, left + middleX + 9, top - 10, { ...PLAIN, rotate: -90 })
        : textElement(short, left + middleX, top - 12, { ...PLAIN, anchor: "middle" }),
    ];
  });
}

function drawRow(
  row: readonly number[],
  label: number,
  left: number,
  top: number,
  cell: Cell,
  numbered: boolean,
): string[] {
  const total = row.reduce((sum, count) => sum + count, 0);
  return row.flatMap((count, answer) => {
    // the many empty cells of a large matrix are the paper
    if (count === 0 && !numbered) return [];
    const share = total === 0 ? 0 : count / total;
    const [x, y] = [left + answer * cell.width, top + label * cell.height];
    const number = String(count);
    const style = label === answer ? STRONG : PLAIN;
    const size = Math.min(style.size, Math.floor((style.size * (cell.width - 6)) / textWidth(number, style)));
    const fits = numbered && size >= SMALLEST_NUMBER;
    const ink = share > 0.55 ? COLOURS.paper : count === 0 ? COLOURS.muted : COLOURS.ink;
    return [
      rectangle(x, y, cell.width, cell.height, {
        fill: shade(share, label === answer),
        ...(numbered ? { stroke: COLOURS.line } : {}),
      }),
      ...(fits
        ? [
            textElement(number, x + cell.width / 2, y + cell.height / 2 + size / 3, {
              ...style,
              size,
              colour: ink,
              anchor: "middle",
            }),
          ]
        : []),
    ];
  });
}

/** White to blue on the diagonal, white to red off it. */
function shade(share: number, right: boolean): string {
  const full = right ? [36, 87, 167] : [178, 52, 36];
  const mixed = full.map((channel) => Math.round(255 + (channel - 255) * Math.sqrt(share)));
  return `rgb(${mixed.join(",")})`;
}
