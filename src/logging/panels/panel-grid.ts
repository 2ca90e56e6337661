/** @file Pictures of one size side by side, each with a title, a note, what is drawn on it, and what its colours stand for. */
import type { MaskKey } from "./mask-overlay.js";
import { rectangle, textElement } from "./svg.js";
import { fitEnd, fitStart } from "./text.js";

export interface GridPanel {
  readonly title: string;
  readonly note: string;
  /** [height, width, 3], 0 to 255. */
  readonly pixels: Uint8Array;
  /** SVG in the middle of which the picture lies, by its corner and size on the sheet. */
  readonly marks?: (place: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }) => readonly string[];
  readonly keys?: readonly MaskKey[];
}

const PANEL = 192;
const GAP = 12;
const CAPTION = 40;
const COLUMNS = 4;
const KEY_LINE = 16;
const TITLE = { size: 13, weight: 600 } as const;
const NOTE = { size: 11, weight: 400 } as const;

/**
 * @param size of the panels' pixels
 * @param kernel `nearest` where single pixels are to be seen
 * @returns PNG
 */
export async function drawPanels(
  panels: readonly GridPanel[],
  size: { readonly height: number; readonly width: number },
  kernel: "nearest" | "lanczos3" = "lanczos3",
): Promise<Buffer> {
  const { loadSharp, svgDocument } = await import("./svg.js");
  const { default: open } = await loadSharp();
  const scale = PANEL / Math.max(size.height, size.width);
  const [width, height] = [Math.round(size.width * scale), Math.round(size.height * scale)];
  const columns = Math.min(COLUMNS, panels.length);
  const keyLines = Math.max(...panels.map(({ keys = [] }) => keys.length));
  const rowHeight = height + CAPTION + GAP + keyLines * KEY_LINE;
  const leftOf = (i: number): number => GAP + (i % columns) * (width + GAP);
  const topOf = (i: number): number => Math.floor(i / columns) * rowHeight + CAPTION;
  const rows = Math.ceil(panels.length / columns);
  const total = { width: GAP + columns * (width + GAP), height: rows * rowHeight + GAP };
  const raw = { width: size.width, height: size.height, channels: 3 } as const;
  const layers = await Promise.all(
    panels.map(async ({ pixels }, i) => ({
      input: await open(pixels, { raw }).resize(width, height, { fit: "fill", kernel }).png().toBuffer(),
      left: leftOf(i),
      top: topOf(i),
    })),
  );
  const overlays = panels.flatMap(({ title, note, marks, keys = [] }, i) => {
    const [x, y] = [leftOf(i), topOf(i)];
    return [
      textElement(fitStart(title, width, TITLE), x, y - 22, TITLE),
      textElement(fitEnd(note, width, NOTE), x, y - 7, NOTE),
      ...(marks?.({ x, y, width, height }) ?? []),
      ...keys.flatMap(({ text, colour }, line) => {
        const base = y + height + (line + 1) * KEY_LINE;
        return [
          rectangle(x, base - 10, 11, 11, { fill: colour, radius: 2 }),
          textElement(fitEnd(text, width - 17, NOTE), x + 17, base, NOTE),
        ];
      }),
    ];
  });
  const canvas = open({ create: { ...total, channels: 3, background: "#ffffff" } });
  return canvas
    .composite([...layers, { input: svgDocument(total.width, total.height, overlays), left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}
