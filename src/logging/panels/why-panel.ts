/** @file Why an image is answered as it is, drawn: the image with its figures, and beside it one map of heat per task. */
import { at, f32At, u8At } from "../../arrays.js";
import type { Figure } from "./figures.js";
import { heatColour } from "./heat.js";
import { drawPanels, type GridPanel } from "./panel-grid.js";

/** One task's map. */
export interface WhyMap {
  readonly task: string;
  /** What is answered, in words. */
  readonly answer: string;
  readonly method: string;
  /** [height × width], in [0, 1]. */
  readonly influence: Float32Array;
  /** The predicted figure, where the task is one or part of one. */
  readonly figures: readonly Figure[];
}

export interface WhyPicture {
  readonly height: number;
  readonly width: number;
  /** [height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array;
  readonly channels: 1 | 3;
  readonly maps: readonly WhyMap[];
}

const LINE = "#39ff14";

/**
 * A sheet: first the image, then for each task the grey image under its heat, with the figure that is answered.
 * @returns PNG
 */
export async function drawWhy(picture: WhyPicture): Promise<Buffer> {
  const panels: GridPanel[] = [
    {
      title: "input",
      note: `${picture.width} × ${picture.height}`,
      pixels: inColour(picture),
      marks: marksOf(picture.maps.flatMap((map) => map.figures)),
    },
    ...picture.maps.map((map) => ({
      title: map.task,
      note: `${map.answer} · ${map.method}`,
      pixels: underHeat(picture, map.influence),
      marks: marksOf(map.figures),
    })),
  ];
  return drawPanels(panels, picture);
}

function marksOf(figures: readonly Figure[]): NonNullable<GridPanel["marks"]> {
  return (place) =>
    figures.map(({ shape }) => {
      const [x, y] = [place.x + shape.x * place.width, place.y + shape.y * place.height];
      return shape.kind === "point"
        ? `<circle cx="${x}" cy="${y}" r="4" fill="none" stroke="${LINE}" stroke-width="2"/>`
        : `<rect x="${x}" y="${y}" width="${Math.max(0, shape.width * place.width)}" height="${Math.max(0, shape.height * place.height)}" fill="none" stroke="${LINE}" stroke-width="2"/>`;
    });
}

function colourOf({ pixels, channels }: WhyPicture, pixel: number, channel: number): number {
  return u8At(pixels, channels === 3 ? pixel * 3 + channel : pixel);
}

function inColour(picture: WhyPicture): Uint8Array {
  return Uint8Array.from({ length: picture.height * picture.width * 3 }, (_, i) =>
    colourOf(picture, Math.floor(i / 3), i % 3),
  );
}

/** Grey and dark, so that all colour is heat. */
function underHeat(picture: WhyPicture, influence: Float32Array): Uint8Array {
  // luma of ITU-R BT.601
  const grey = (pixel: number): number =>
    0.299 * colourOf(picture, pixel, 0) + 0.587 * colourOf(picture, pixel, 1) + 0.114 * colourOf(picture, pixel, 2);
  return Uint8Array.from({ length: picture.height * picture.width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const heat = f32At(influence, pixel);
    return Math.round((1 - 0.8 * heat) * 0.5 * grey(pixel) + 0.8 * heat * at(heatColour(heat), i % 3));
  });
}
