/** @file What of a picture a network sees: the whole of it stretched, its middle, or all of it between bars. */

/** Pictures keep their proportions: what does not fit is cut off, or the rest is filled. */
export interface ImageFraming {
  readonly fit: "crop" | "letterbox";
  /** Before the middle is cut out: length of the shorter edge, or [height, width]; without it, just large enough. */
  readonly resizeTo?: number | readonly [height: number, width: number];
  /** Grey of what lies beyond the picture, 0 to 255; without it black. */
  readonly background?: number;
}

/** How new pixels are made of those around them, as Pillow has them: the wider the kernel, the more of them. */
export type ResizeFilter = "nearest" | "bilinear" | "bicubic" | "lanczos";

/** Width and height, in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** How a picture is brought to the size of an input. */
export interface FramingPlan {
  /** The whole picture is resized to this first. */
  readonly resized: PixelSize;
  /** Where what the network sees begins on the resized picture; below 0 there are bars before it. */
  readonly left: number;
  readonly top: number;
}

/** What the network sees, in fractions of the picture's width and height; beyond [0, 1] lie bars. */
export interface PictureFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What says how a picture is brought to the size of an input. */
export interface Framed {
  /** [height, width] in pixels of what the network sees. */
  readonly size: readonly [height: number, width: number];
  readonly framing?: ImageFraming;
}

/**
 * The pixels that each step makes, as torchvision's `resize`, `center_crop` and `pad` count them: the longer edge is
 * rounded down, half a pixel of a cut is rounded to the even number, the larger half of bars comes last.
 */
export function planFraming({ size: [height, width], framing }: Framed, picture: PixelSize): FramingPlan {
  if (framing === undefined) return { resized: { width, height }, left: 0, top: 0 };
  const resized =
    framing.fit === "letterbox" ? within({ width, height }, picture) : cutFrom(framing, { width, height }, picture);
  return { resized, left: offset(resized.width, width), top: offset(resized.height, height) };
}

/** What of a picture a network sees. */
export function frameOf(spec: Framed, picture: PixelSize): PictureFrame {
  const { resized, left, top } = planFraming(spec, picture);
  const [height, width] = spec.size;
  return {
    left: left / resized.width,
    top: top / resized.height,
    width: width / resized.width,
    height: height / resized.height,
  };
}

function within(size: PixelSize, picture: PixelSize): PixelSize {
  return scaled(picture, Math.min(size.width / picture.width, size.height / picture.height));
}

function cutFrom({ resizeTo }: ImageFraming, size: PixelSize, picture: PixelSize): PixelSize {
  if (resizeTo === undefined) {
    return scaled(picture, Math.max(size.width / picture.width, size.height / picture.height));
  }
  if (typeof resizeTo !== "number") return { height: resizeTo[0], width: resizeTo[1] };
  const { width, height } = picture;
  const longer = Math.floor((resizeTo * Math.max(width, height)) / Math.min(width, height));
  return width < height ? { width: resizeTo, height: longer } : { width: longer, height: resizeTo };
}

function scaled({ width, height }: PixelSize, factor: number): PixelSize {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

function offset(resized: number, wanted: number): number {
  const spare = resized - wanted;
  if (spare < 0) return -Math.floor(-spare / 2);
  const half = Math.floor(spare / 2);
  return spare % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}

/** The framing in a few letters, the same for the same one: of the names of caches. */
export function framingKey({ framing, filter }: Pick<Framed, "framing"> & { readonly filter?: ResizeFilter }): string {
  const { fit, resizeTo = "", background = 0 } = framing ?? { fit: "" };
  const how =
    framing === undefined ? [] : [fit, [resizeTo].flat().join("x"), background === 0 ? "" : `on${background}`];
  return [...how, filter ?? ""]
    .filter((part) => part !== "")
    .map((part) => `-${part}`)
    .join("");
}
