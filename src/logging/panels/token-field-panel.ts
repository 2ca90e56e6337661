/** @file Which tokens move which answers, as a picture: one row per answer, one column per token. */
import { at, f32At } from "../../arrays.js";
import type { EncodedImage } from "../tensorboard/images.js";
import { heatColour, UNREACHABLE } from "./heat.js";
import { COLOURS, encodeDrawing, rectangle, textElement } from "./svg.js";
import { fitEnd, fitMiddle, type TextStyle, textWidth } from "./text.js";

/** One answer and what moves it. */
export interface TokenFieldRow {
  /** What is asked about, e.g. `4 writer: noun`. */
  readonly title: string;
  /** Token that is asked about, from 0; null where it is the whole row. */
  readonly position: number | null;
  /** Per token, from 0 to 1. */
  readonly influence: Float32Array;
  /** Per token, 1 where it can move the answer. */
  readonly reachable: Uint8Array;
}

const MARGIN = 16;
const HEADER_HEIGHT = 56;
const CELL = { width: 40, height: 32 };
const GAP = 3;
const TITLE: TextStyle = { size: 20, weight: 600 };
const PLAIN: TextStyle = { size: 16, weight: 400 };
const LONGEST_TITLE = 260;
const LONGEST_WORD = 130;
const NOTE = "lighter: moves the answer more; framed: the token itself; grey: cannot move it";

export function drawTokenField(
  task: string,
  words: readonly string[],
  rows: readonly TokenFieldRow[],
): Promise<EncodedImage> {
  const titles = rows.map(({ title }) => fitEnd(title, LONGEST_TITLE, PLAIN));
  const names = words.map((word) => fitMiddle(word, LONGEST_WORD, PLAIN));
  const left = MARGIN + Math.max(0, ...titles.map((title) => textWidth(title, PLAIN))) + 12;
  const slope = Math.SQRT1_2 * Math.max(0, ...names.map((name) => textWidth(name, PLAIN)));
  const top = HEADER_HEIGHT + slope + 20;
  const least = MARGIN + Math.max(textWidth(task, TITLE), textWidth(NOTE, PLAIN));
  const width = Math.ceil(Math.max(left + words.length * CELL.width + slope, least) + MARGIN);
  const height = Math.ceil(top + rows.length * CELL.height + MARGIN);
  const elements = [
    rectangle(0, 0, width, height, { fill: COLOURS.paper }),
    textElement(task, MARGIN, 28, TITLE),
    textElement(NOTE, MARGIN, 50, { ...PLAIN, colour: COLOURS.muted }),
    ...names.map((name, i) => textElement(name, left + (i + 0.45) * CELL.width, top - 8, { ...PLAIN, rotate: -45 })),
    ...rows.flatMap((row, r) => [
      textElement(at(titles, r), left - 12, top + (r + 0.66) * CELL.height, { ...PLAIN, anchor: "end" }),
      ...words.map((_, i) => drawCell(row, i, left + i * CELL.width, top + r * CELL.height)),
    ]),
  ];
  return encodeDrawing(width, height, elements, "png");
}

function drawCell({ position, influence, reachable }: TokenFieldRow, token: number, x: number, y: number): string {
  // as in pictures: heat grows with the square root, or only the strongest would be seen
  const colour = reachable[token] === 1 ? heatColour(Math.sqrt(f32At(influence, token))) : UNREACHABLE;
  const fill = `rgb(${colour.map(Math.round).join(",")})`;
  const [width, height] = [CELL.width - GAP, CELL.height - GAP];
  if (position !== token) return rectangle(x, y, width, height, { fill, radius: 3 });
  return [
    rectangle(x - 2, y - 2, width + 4, height + 4, { fill: COLOURS.accent, radius: 5 }),
    rectangle(x + 1, y + 1, width - 2, height - 2, { fill, radius: 2 }),
  ].join("");
}
