/** @file The library that decodes pictures, loaded when the first one is: apart, for no published type names it. */
import type sharp from "sharp";
import type { bytesInRange } from "./sample-format.js";

let decoder: Promise<typeof sharp> | null = null;

/** Loads the library that decodes. A process with threads that decode loads it before it starts them. */
export async function loadDecoder(): Promise<void> {
  await loadSharp();
}

export function loadSharp(): Promise<typeof sharp> {
  decoder ??= import("sharp").then(({ default: loaded }) => {
    // images are decoded side by side, each only once
    loaded.concurrency(1);
    loaded.cache(false);
    return loaded;
  });
  return decoder;
}

/** Samples in memory as a picture to work on. */
export function rawImage(
  open: typeof sharp,
  { pixels, ...raw }: Awaited<ReturnType<typeof bytesInRange>>,
): ReturnType<typeof sharp> {
  return open(pixels, { raw });
}
