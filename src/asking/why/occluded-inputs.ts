/** @file One row's inputs again and again, each time with another part of its picture covered. */
import { at } from "../../arrays.js";
import { type InputSource, isPixelSource, isTokenSource, type PixelSource, vectorSpec } from "../../data/dataset.js";
import { NO_EXTERNALS } from "../../engine/model/pretrained/external-part.js";
import { InterruptedError } from "../../errors.js";
import type { PredictOptions } from "../open-inputs.js";
import { storeOf, type StoredRun } from "../stored-run.js";
import { occluded, type Patch } from "./occlusion.js";

type Sources = Readonly<Record<string, InputSource>>;

/** Pictures that pass a model together: few, since a backbone's maps are large. */
const BATCH = 16;

/**
 * Inputs of 1 + patches rows: the first row of the sources as it is, then with each patch of its picture covered. What
 * models beside the network make of the covered pictures is computed; nothing of it is kept.
 * @param image name of the input whose picture is covered
 */
export async function occludedInputs(
  stored: StoredRun,
  sources: Sources,
  image: string,
  patches: readonly Patch[],
  { signal, onProgress }: Pick<PredictOptions, "signal" | "onProgress">,
): Promise<Sources> {
  const count = 1 + patches.length;
  const repeated = Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, repeat(source, count)]));
  const picture = sources[image];
  if (picture === undefined || !isPixelSource(picture)) throw new Error(`the input "${image}" has no picture`);
  const covered = cover(picture, patches);
  const made: Record<string, InputSource> = { [image]: covered };
  const { parts } = stored.config.externals ?? NO_EXTERNALS;
  const own = parts.filter(({ input }) => input === image);
  const rows = Array.from({ length: count }, (_, row) => row);
  let done = 0;
  for (const part of own) {
    const { openExternal } = await import("../../engine/features/external-trunk.js");
    const trunk = await openExternal(part, covered.spec, storeOf(stored), stored.project?.dir ?? null);
    try {
      const values = new Float32Array(rows.length * trunk.width);
      for (let from = 0; from < rows.length; from += BATCH) {
        if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
        const batch = rows.slice(from, from + BATCH);
        values.set(await trunk.compute(covered.read(batch), batch.length), from * trunk.width);
        done += batch.length;
        onProgress?.("covering parts of the picture", done, own.length * rows.length);
      }
      made[part.name] = vectors(values, trunk.width, part.name);
    } finally {
      await trunk.close();
    }
  }
  return { ...repeated, ...made };
}

function repeat(source: InputSource, rows: number): InputSource {
  const read = (asked: ArrayLike<number>) => source.read(Array.from(asked, () => 0));
  if (!isTokenSource(source)) return { spec: source.spec, read, close() {} };
  const tokens = { spec: source.spec, lengths: new Int32Array(rows).fill(at(source.lengths, 0)), read, close() {} };
  return tokens;
}

function cover(source: PixelSource, patches: readonly Patch[]): PixelSource {
  const { size, channels } = source.spec;
  const picture = source.read([0]);
  const read: PixelSource["read"] = (rows, out = new Uint8Array(rows.length * picture.length)) => {
    for (let i = 0; i < rows.length; i++) {
      const patch = patches[at(rows, i) - 1];
      out.set(patch === undefined ? picture : occluded(picture, size[1], channels, patch), i * picture.length);
    }
    return out;
  };
  const again = <T>(first: T): T[] => Array.from({ length: 1 + patches.length }, () => first);
  return {
    spec: source.spec,
    paths: again(at(source.paths, 0)),
    originalWidth: Float32Array.from(again(at(source.originalWidth, 0))),
    originalHeight: Float32Array.from(again(at(source.originalHeight, 0))),
    read,
    close() {},
  };
}

function vectors(values: Float32Array, width: number, name: string): InputSource {
  return {
    spec: vectorSpec(name, width),
    read(rows) {
      const out = new Float32Array(rows.length * width);
      for (let i = 0; i < rows.length; i++) {
        const from = at(rows, i) * width;
        out.set(values.subarray(from, from + width), i * width);
      }
      return out;
    },
    close() {},
  };
}
