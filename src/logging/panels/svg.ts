/** @file SVG elements in the style of all panels, and their encoding as PNG or JPEG. */
import { existsSync } from "node:fs";
import type { Sharp, default as sharp } from "sharp";
import { packageFile } from "../../platform/package-file.js";
import type { EncodedImage } from "../tensorboard/images.js";
import { escapeXml, type TextStyle } from "./text.js";

export type ImageFormat = "png" | "jpeg";

/** Colours with enough contrast on white and on the cards; truth and prediction differ for colour-blind eyes too. */
export const COLOURS = {
  paper: "#ffffff",
  card: "#f3f5f8",
  frame: "#e6eaf0",
  line: "#d5dae2",
  ink: "#18202c",
  muted: "#566173",
  truth: "#00775b",
  prediction: "#c2410c",
  /** Brighter, to be drawn on pictures. */
  truthMark: "#12e2a3",
  predictionMark: "#ff7a29",
  accent: "#2457a7",
} as const;

const FONT = "Source Sans 3";
// quoted, because a family whose name has a bare number makes the whole list invalid
const FAMILIES = `'${FONT}', 'Noto Sans', 'Noto Sans CJK SC', 'DejaVu Sans', Arial, sans-serif`;
const FONT_FILES = ["SourceSans3-Regular.ttf", "SourceSans3-SemiBold.ttf"].map((name) =>
  packageFile(`assets/fonts/${name}`),
);
const JPEG_QUALITY = 90;

export interface TextOptions extends TextStyle {
  readonly colour?: string;
  readonly anchor?: "start" | "middle" | "end";
  /** Degrees, clockwise around the point. */
  readonly rotate?: number;
}

/** A line of text whose baseline begins (or ends, or has its middle) at a point. */
export function textElement(text: string, x: number, y: number, options: TextOptions): string {
  const { size, weight, colour = COLOURS.ink, anchor = "start", rotate = 0 } = options;
  const turn = rotate === 0 ? "" : ` transform="rotate(${rotate} ${round(x)} ${round(y)})"`;
  const font = `font-family="${FAMILIES}" font-size="${size}" font-weight="${weight}"`;
  return `<text x="${round(x)}" y="${round(y)}" ${font} fill="${colour}" text-anchor="${anchor}" xml:space="preserve"${turn}>${escapeXml(text)}</text>`;
}

export interface RectangleOptions {
  readonly fill: string;
  readonly radius?: number;
  readonly stroke?: string;
}

export function rectangle(x: number, y: number, width: number, height: number, options: RectangleOptions): string {
  const { fill, radius = 0, stroke } = options;
  const border = stroke === undefined ? "" : ` stroke="${stroke}"`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}" fill="${fill}"${border}/>`;
}

export interface LineOptions {
  readonly colour: string;
  readonly width?: number;
  readonly dashes?: string;
}

export function line(x1: number, y1: number, x2: number, y2: number, options: LineOptions): string {
  const { colour, width = 1, dashes } = options;
  const pattern = dashes === undefined ? "" : ` stroke-dasharray="${dashes}"`;
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" stroke-width="${width}"${pattern}/>`;
}

export function svgDocument(width: number, height: number, elements: readonly string[]): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${elements.join("")}</svg>`,
  );
}

/** A drawing → PNG or JPEG. */
export async function encodeDrawing(
  width: number,
  height: number,
  elements: readonly string[],
  format: ImageFormat,
): Promise<EncodedImage> {
  const { default: open } = await loadSharp();
  return encodePicture(open(svgDocument(width, height, elements)), width, height, format);
}

/** An SVG document as PNG, with so many pixels for each of its own. */
export async function svgToPng(svg: string, scale: number): Promise<Buffer> {
  const { default: open } = await loadSharp();
  // SVG's pixels are those of 72 to the inch
  return open(Buffer.from(svg), { density: 72 * scale })
    .png()
    .toBuffer();
}

/** @param picture of `width` × `height` pixels */
export async function encodePicture(
  picture: Sharp,
  width: number,
  height: number,
  format: ImageFormat,
): Promise<EncodedImage> {
  const opaque = picture.flatten({ background: COLOURS.paper });
  switch (format) {
    case "png":
      return { png: await opaque.png().toBuffer(), width, height };
    case "jpeg":
      // full colour resolution: thin coloured lines stay what they are
      return {
        jpeg: await opaque.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: "4:4:4" }).toBuffer(),
        width,
        height,
      };
    default:
      return format satisfies never;
  }
}

let fontsReady: Promise<unknown> | undefined;

/**
 * sharp, with the fonts of the panels known to it: a machine without fonts would draw boxes instead of letters.
 * Drawing text from a font file makes the file known to every later drawing of the process.
 */
export async function loadSharp(): Promise<{ readonly default: typeof sharp }> {
  const module = await import("sharp");
  // without our files the machine's own fonts do
  fontsReady ??= Promise.all(
    FONT_FILES.filter((file) => existsSync(file)).map((fontfile) =>
      module
        .default({ text: { text: "x", font: FONT, fontfile } })
        .raw()
        .toBuffer(),
    ),
  );
  await fontsReady;
  return module;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
