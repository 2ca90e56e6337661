/** @file A sample's picture at the size of a tile: small ones enlarged by whole factors, so that each pixel stays crisp. */
import type { Sharp } from "sharp";
import type { ImageFraming } from "../../decoding/framing.js";
import { readImageFile } from "../../data/inputs/images.js";
import { loadSharp } from "./svg.js";

/** What can be shown of a sample. */
export type SamplePicture =
  | {
      readonly kind: "file";
      readonly path: string;
      /** How the network sees it, for what is laid over it pixel by pixel; without it stretched. */
      readonly framing?: ImageFraming;
    }
  /** [height, width, channels], 0 to 255. */
  | (RawPixels & { readonly kind: "pixels" })
  /** e.g. the words of a sample without images. */
  | { readonly kind: "text"; readonly text: string }
  /** Why there is no picture, as it completes "image x …", e.g. "is not found". */
  | { readonly kind: "missing"; readonly reason: string };

interface RawPixels {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** A picture ready to be placed. */
export interface TilePicture {
  /** [height, width, 3], 0 to 255. */
  readonly pixels: Buffer;
  readonly width: number;
  readonly height: number;
}

export type OpenedPicture =
  | { readonly kind: "tile"; readonly tile: TilePicture }
  | Extract<SamplePicture, { readonly kind: "text" | "missing" }>;

/** Decodes a picture into a square of `side` pixels, keeping its proportions; a file that cannot be read is missing. */
export async function openPicture(picture: SamplePicture, side: number): Promise<OpenedPicture> {
  switch (picture.kind) {
    case "file":
      return openFile(picture.path, side);
    case "pixels": {
      const { pixels, width, height, channels } = picture;
      const { default: open } = await loadSharp();
      const image = open(pixels, { raw: { width, height, channels } });
      return { kind: "tile", tile: await toTile(image, width, height, side) };
    }
    case "text":
    case "missing":
      return picture;
    default:
      return picture satisfies never;
  }
}

async function openFile(path: string, side: number): Promise<OpenedPicture> {
  const file = await readImageFile(path);
  if (!file.ok) return { kind: "missing", reason: file.reason };
  const { default: open } = await loadSharp();
  try {
    const image = open(file.value, { failOn: "error" });
    const { autoOrient } = await image.metadata();
    return { kind: "tile", tile: await toTile(image.autoOrient(), autoOrient.width, autoOrient.height, side) };
  } catch {
    return { kind: "missing", reason: "is damaged or no image" };
  }
}

async function toTile(image: Sharp, originalWidth: number, originalHeight: number, side: number): Promise<TilePicture> {
  const { width, height, enlarged } = tileSize(originalWidth, originalHeight, side);
  const pixels = await image
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .resize(width, height, { fit: "fill", kernel: enlarged ? "nearest" : "lanczos3" })
    .raw({ depth: "uchar" })
    .toBuffer();
  return { pixels, width, height };
}

/** The largest whole multiple that fits; what is larger than the square is reduced to it. */
export function tileSize(
  width: number,
  height: number,
  side: number,
): { readonly width: number; readonly height: number; readonly enlarged: boolean } {
  const longest = Math.max(width, height);
  const factor = longest <= side ? Math.floor(side / longest) : side / longest;
  const scaled = (pixels: number): number => Math.max(1, Math.round(pixels * factor));
  return { width: scaled(width), height: scaled(height), enlarged: longest <= side };
}
