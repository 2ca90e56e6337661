/** @file Picture files → pixels, as the browser decodes them. */
import { PredictorError } from "../../predictor/errors.js";
import type { Picture } from "../../predictor/pictures.js";
import { hasColourProfile } from "./profile.js";

/** As libvips allows, 16383². */
const MAX_PIXELS = 268_402_689;

/**
 * Upright, in sRGB, before a white ground.
 * @throws PredictorError for a file that the browser does not decode as a picture
 */
export async function pictureOf(file: Blob): Promise<Picture> {
  const bitmap = await decoded(file);
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS) {
      throw new PredictorError(
        `${nameOf(file)} has more than ${Math.floor(MAX_PIXELS / 1e6)} million pixels. Make it smaller.`,
      );
    }
    // in main memory: a GPU's canvas may be read back otherwise than it was written
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (context === null) throw new PredictorError("This browser has no memory left for a picture of this size.");
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return { data: context.getImageData(0, 0, width, height).data, width, height };
  } finally {
    bitmap.close();
  }
}

async function decoded(file: Blob): Promise<ImageBitmap> {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const colorSpaceConversion = hasColourProfile(bytes) ? "default" : "none";
    return await createImageBitmap(file, { colorSpaceConversion, premultiplyAlpha: "none" });
  } catch (error) {
    throw new PredictorError(
      `${nameOf(file)} is no picture that this browser can decode, or it is damaged. Choose a PNG, JPEG or WebP file.`,
      { type: file.type },
      { cause: error },
    );
  }
}

function nameOf(file: Blob): string {
  return "name" in file && typeof file.name === "string" ? file.name : "The file";
}
