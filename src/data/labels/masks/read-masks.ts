/** @file A mask of a cell → labels of the pixels of its picture. */
import { resolve } from "node:path";
import type { ImageFraming } from "../../../decoding/framing.js";
import type { TaskSpec } from "../../../flow/graph.js";
import { messageOf } from "../../../errors.js";

export interface MaskPlace {
  readonly baseDir: string;
  readonly size: readonly [number, number];
  readonly framing?: ImageFraming;
  readonly picture: string | null;
}

export async function readMask(spec: TaskSpec, cell: unknown, place: MaskPlace): Promise<Float32Array | string> {
  const [h, w] = place.size;
  if (cell === null || cell === undefined || cell === "") return new Float32Array(h * w).fill(Number.NaN);
  const { default: open } = await import("sharp");
  try {
    const { data, info } = await open(resolve(place.baseDir, String(cell)))
      .resize(w, h, { fit: "fill", kernel: "nearest" })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const ignore = "ignore" in spec && spec.ignore !== undefined ? spec.ignore : spec.kind === "regression" ? -1 : 255;
    return Float32Array.from({ length: h * w }, (_, i) => {
      const v = data[i * info.channels] as number;
      return v === ignore ? Number.NaN : spec.kind === "binary" ? Number(v > 0) : v;
    });
  } catch (error) {
    return `cannot be read: ${messageOf(error)}`;
  }
}
