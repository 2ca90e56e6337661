/** @file A preprocessor_config.json, as Hugging Face's image processors are saved: what it says of a picture's size. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { ConfigError, lineOf } from "../../../errors.js";
import { problemOf } from "../../../platform/document-problem.js";
import type { ImageFraming, ImageInputSpec, ResizeFilter } from "../../../data/dataset.js";

export const PREPROCESSOR_CONFIG = "preprocessor_config.json";

/** The values of such a file. @param schema of the keys that are read @throws ConfigError where they cannot be */
export function readPreprocessorFile<T>(file: string, schema: z.ZodType<T>): T {
  const value = parse(file);
  const problem = problemOf(schema, value);
  if (problem !== null) throw unusable(file, `"${problem.key}" is wrong: ${problem.problem}`);
  return schema.parse(value);
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw unusable(file, isMissing ? "it is not there" : lineOf(error));
  }
}

function unusable(file: string, reason: string, wayOut = WAY_OUT): ConfigError {
  return new ConfigError(`${file} cannot be used: ${reason}. ${wayOut}`, { file, reason });
}

const WAY_OUT =
  "Correct it, or declare pretrained({ input: { range, mean, std } }) and image({ size, fit }) in its place.";

/** The file that is meant by its own path, or by that of the model or the folder beside which it lies. */
export function preprocessorFile(path: string): string {
  if (basename(path).endsWith(".json") && basename(path) !== "model.json") return path;
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  return join(isFolder ? path : dirname(path), PREPROCESSOR_CONFIG);
}

const edge = z.number().int().min(1);
const sides = z.looseObject({
  height: edge.nullish(),
  width: edge.nullish(),
  shortest_edge: edge.nullish(),
  longest_edge: edge.nullish(),
});
const sizeSchema = z.looseObject({
  do_resize: z.boolean().nullish(),
  size: z.union([edge, sides]).nullish(),
  crop_pct: z.number().positive().max(1).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([edge, sides]).nullish(),
  do_pad: z.boolean().nullish(),
  resample: z.number().int().nullish(),
});
type SizeConfig = z.infer<typeof sizeSchema>;

/** How pictures are brought to the size that a model was trained with. */
export type PictureGeometry = Pick<ImageInputSpec, "size" | "framing" | "filter">;

/**
 * What a preprocessor_config.json says of a picture's size: `do_resize`, `size` (a number, `height` and `width`, or
 * `shortest_edge`), `crop_pct`, `do_center_crop`, `crop_size` and `resample`.
 * @throws ConfigError where it cannot be read, or gives pictures no size that is the same for all
 */
export function readPictureGeometry(file: string): PictureGeometry {
  const config = readPreprocessorFile(file, sizeSchema);
  const filter = filterOf(config, file);
  const { size, framing } = framingOf(config, file);
  return { size, ...(framing === undefined ? {} : { framing }), ...(filter === undefined ? {} : { filter }) };
}

// Pillow's numbers
const FILTERS: readonly (ResizeFilter | null)[] = ["nearest", "lanczos", "bilinear", "bicubic", null, null];

function filterOf({ resample }: SizeConfig, file: string): ResizeFilter | undefined {
  if (resample == null) return undefined;
  const filter = FILTERS[resample];
  if (filter != null) return filter;
  throw unusable(
    file,
    `"resample" is ${resample}; there are 0 (nearest), 1 (lanczos), 2 (bilinear) and 3 (bicubic)`,
    "Declare the input's size and filter instead: image({ size, fit, filter }).",
  );
}

function framingOf(config: SizeConfig, file: string): { readonly size: Size; readonly framing?: ImageFraming } {
  const { do_center_crop: crops, crop_size: cropSize, crop_pct: share } = config;
  if (config.do_pad === true) throw unsized(file, '"do_pad" fills pictures at one side');
  const resizeTo = config.do_resize === false ? null : resizedTo(config, file);
  if (share != null && typeof resizeTo === "number") {
    // ConvNeXT: from 384 on the whole picture is squashed
    if (resizeTo >= 384) return { size: [resizeTo, resizeTo] };
    return { size: [resizeTo, resizeTo], framing: { fit: "crop", resizeTo: Math.floor(resizeTo / share) } };
  }
  if (crops === true && cropSize != null) {
    const size = bothSides(cropSize) ?? noSize(file, '"crop_size" has no height and width');
    if (resizeTo === null) throw unsized(file, "it cuts pictures without resizing them");
    const isSame = typeof resizeTo !== "number" && resizeTo[0] === size[0] && resizeTo[1] === size[1];
    return isSame ? { size } : { size, framing: { fit: "crop", resizeTo } };
  }
  if (resizeTo === null) throw unsized(file, "it resizes nothing");
  if (typeof resizeTo === "number") throw unsized(file, `its "size" fixes the shortest edge alone`);
  return { size: resizeTo };
}

type Size = readonly [height: number, width: number];

function resizedTo({ size, do_center_crop: crops, crop_pct: share }: SizeConfig, file: string): number | Size {
  if (size == null) throw unsized(file, 'it has no "size"');
  // a number alone is the shortest edge where a part is cut out of it, else both
  if (typeof size === "number") return crops === true || share != null ? size : [size, size];
  const both = bothSides(size);
  if (both !== null) return both;
  if (size.shortest_edge != null && size.longest_edge == null) return size.shortest_edge;
  throw unsized(file, `its "size" is ${JSON.stringify(size)}`);
}

function bothSides(size: z.infer<typeof sides> | number): Size | null {
  if (typeof size === "number") return [size, size];
  return size.height != null && size.width != null ? [size.height, size.width] : null;
}

function noSize(file: string, reason: string): never {
  throw unsized(file, reason);
}

function unsized(file: string, reason: string): ConfigError {
  return unusable(
    file,
    `${reason}, so that it gives pictures no one size`,
    'Declare it: image({ size: [height, width], fit: "crop" }), or fit: "letterbox".',
  );
}
