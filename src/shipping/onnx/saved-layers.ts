/** @file The layers of a saved LayersModel: what model.json says of each, and its weights. */
import { z } from "zod";
import { StoreError } from "../../errors.js";
import { problemOf } from "../../platform/document-problem.js";
import { UnsupportedLayer } from "./unsupported.js";

/** Numbers of one weight. */
export interface Weight {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

export type Config = Readonly<Record<string, unknown>>;

/** One layer and where its inputs come from. */
export interface SavedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** Layers whose outputs it reads. */
  readonly inputs: readonly string[];
  /** By the last part of their names; of layers within, by what stands after the layer's own name. */
  readonly weights: ReadonlyMap<string, Weight>;
}

export interface SavedLayers {
  /** In an order in which every layer comes after those that it reads. */
  readonly layers: readonly SavedLayer[];
  /** Names of the layers whose outputs the model puts out. */
  readonly outputs: readonly string[];
}

const place = z.tuple([z.string(), z.number(), z.number()]).rest(z.unknown());

const schema = z.looseObject({
  modelTopology: z.looseObject({ config: z.unknown() }),
  weightsManifest: z.array(
    z.looseObject({
      weights: z.array(z.looseObject({ name: z.string(), shape: z.array(z.number()), dtype: z.string() })),
    }),
  ),
});

const network = z.looseObject({
  layers: z.array(
    z.looseObject({
      name: z.string(),
      class_name: z.string(),
      config: z.looseObject({}),
      inbound_nodes: z.array(z.array(place)),
    }),
  ),
  output_layers: z.array(place),
});

/**
 * A checkpoint that was cut off, or holds another model's weights, would answer nonsense elsewhere.
 * @throws StoreError where model.json is none, or lists another number of bytes than there are
 */
export function assertWholeWeights(model: unknown, weights: Uint8Array, file: string): void {
  const { weightsManifest } = parsed<z.infer<typeof schema>>(schema, model, file);
  const listed = weightsManifest
    .flatMap((group) => group.weights)
    .reduce((bytes, { shape, dtype }) => {
      const size = dtype === "bool" || dtype === "uint8" ? 1 : 4;
      return bytes + shape.reduce((product, side) => product * side, size);
    }, 0);
  if (listed === weights.length) return;
  throw new StoreError(
    `${file} and its weights do not belong together: it lists ${listed} bytes, and weights.bin has ${weights.length}. Restore the run's folder.`,
    { file, listed, bytes: weights.length },
  );
}

/**
 * @param model parsed model.json
 * @param weights bytes of weights.bin
 * @param file for messages
 * @throws StoreError where it is no such model; UnsupportedLayer for layers that are used twice
 */
export function readSavedLayers(model: unknown, weights: Uint8Array, file: string): SavedLayers {
  const { modelTopology, weightsManifest } = parsed<z.infer<typeof schema>>(schema, model, file);
  const inner = parsed<z.infer<typeof network>>(network, modelTopology.config, file);
  const byLayer = weightsByLayer(
    weightsManifest.flatMap((group) => group.weights),
    weights,
    inner.layers.map(({ name }) => name),
    file,
  );
  return {
    layers: inner.layers.map(({ name, class_name, config, inbound_nodes }) => {
      if (inbound_nodes.length > 1) {
        throw new UnsupportedLayer(name, class_name, "it is applied more than once");
      }
      return {
        name,
        className: class_name,
        config,
        inputs: (inbound_nodes[0] ?? []).map(([from]) => from),
        weights: byLayer.get(name) ?? new Map(),
      };
    }),
    outputs: inner.output_layers.map(([name]) => name),
  };
}

function parsed<T>(schemaOf: z.ZodType, value: unknown, file: string): T {
  const problem = problemOf(schemaOf, value);
  if (problem === null) return value as T;
  throw new StoreError(`${file} is no saved LayersModel: "${problem.key}" is wrong: ${problem.problem}.`, { file });
}

function weightsByLayer(
  specs: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[],
  bytes: Uint8Array,
  layers: readonly string[],
  file: string,
): Map<string, Map<string, Weight>> {
  const found = new Map<string, Map<string, Weight>>();
  // of "a" and "a/b" the weight "a/b/kernel" is the second one's
  const longestFirst = [...layers].sort((a, b) => b.length - a.length);
  let offset = 0;
  for (const { name, shape, dtype } of specs) {
    const size = shape.reduce((product, side) => product * side, 1);
    if (dtype !== "float32" || offset + size * 4 > bytes.length) {
      throw new StoreError(`${file} and its weights do not belong together: "${name}" is not there as float32.`, {
        file,
        weight: name,
      });
    }
    // a copy, which begins at a multiple of four whatever the bytes lie in
    const values = new Float32Array(new Uint8Array(bytes.subarray(offset, offset + size * 4)).buffer);
    offset += size * 4;
    const layer = longestFirst.find((candidate) => name.startsWith(`${candidate}/`));
    if (layer === undefined) throw new StoreError(`${file} has the weight "${name}" of no layer.`, { file });
    const own = found.get(layer) ?? new Map<string, Weight>();
    own.set(withoutCount(name.slice(layer.length + 1)), { values, shape });
    found.set(layer, own);
  }
  return found;
}

/** tfjs numbers names that a process has given before: `kernel_1` is the kernel of its layer. */
function withoutCount(name: string): string {
  return name.replace(/_\d+$/, "");
}

/** Weights of a layer within another, by the beginning of their names. */
export function weightsUnder(weights: SavedLayer["weights"], prefix: string): Map<string, Weight> {
  const own = [...weights].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, weight]) => [name.slice(name.lastIndexOf("/") + 1), weight]));
}
