/** @file A network whose trunk may hold saved models: each is read when the trunk asks for it, and built in. */
import type * as tfl from "@tensorflow/tfjs-layers";
import type { InputSpec } from "../../../data/dataset.js";
import { ConfigError, UnknownNameError } from "../../../errors.js";
import type { Layer } from "../layer-graph.js";
import type { SymbolicTensor, TrunkFunction } from "../trunk.js";
import { chooseFrozen } from "./choose-frozen.js";
import { ExternalModels } from "./external-models.js";
import type { Externals } from "./external-part.js";
import { modelFile, type OpenedModel, openModel } from "./open-model.js";
import { geometryDoubt } from "./geometry-doubt.js";
import { isGraphModel } from "./packed-graph.js";
import { pixelChange, preprocess, type PreprocessingInput } from "./preprocessing.js";
import { ModelWanted, type OpenModels, type PretrainedOptions, withOpenModels } from "./pretrained.js";
import { type LayerConfig, LayerMisfit, replayLayers } from "./replay-layers.js";

/** A saved model that a network was built with, as a run keeps it. */
export interface PretrainedPart {
  /** Path or address, as it is written. */
  readonly model: string;
  /** sha256 over its files, hex. */
  readonly digest: string;
  /** The layer whose output was taken. */
  readonly output: string;
  /** What pixels were made into; null where the model does not read pictures. */
  readonly preprocessing: PreprocessingInput | null;
  /** Its layers with weights, by their names in the network: those that keep them, and those that train. */
  readonly frozen: readonly string[];
  readonly trained: readonly string[];
}

/** What was built, and the saved models in it. */
export interface BuiltWithModels<T> {
  readonly built: T;
  readonly parts: readonly PretrainedPart[];
  /** Models that run beside the network. */
  readonly externals: Externals;
  /** Where their files lie, by digest. */
  readonly files: ReadonlyMap<string, string>;
  /** Of models that are shown pictures of another size than they were trained with. */
  readonly doubts: readonly string[];
}

/** What a network is built of instead, where models run beside it. */
export interface BuildScope {
  specs(specs: Readonly<Record<string, InputSpec>>): Readonly<Record<string, InputSpec>>;
  trunk(trunk: TrunkFunction): TrunkFunction;
}

/**
 * Builds something whose trunk may hold saved models.
 * @param baseDir what their paths are relative to
 * @param build runs the trunk function; once more for each model that it turns out to need
 * @throws ConfigError, UnknownNameError for a model that cannot be read or built in; whatever `build` throws
 */
export async function buildWithModels<T>(
  baseDir: string,
  build: (scope: BuildScope) => T,
): Promise<BuiltWithModels<T>> {
  const opened = new Map<string, OpenedFile>();
  const beside = new ExternalModels(baseDir);
  try {
    for (;;) {
      const grafts = new Grafts(opened, beside, baseDir);
      try {
        const built = withOpenModels(grafts, () => build(beside));
        const { parts, doubts } = grafts;
        return { built, parts, doubts: [...doubts], externals: beside.externals, files: beside.files };
      } catch (error) {
        if (await beside.heeds(error)) continue;
        if (!(error instanceof ModelWanted)) throw error;
        const file = await modelFile(error.options, baseDir);
        if (isGraphModel(file)) beside.takeGraph(error.options.model, file);
        else opened.set(keyOf(error.options), { ...(await openModel(error.options, file, baseDir)), file });
      }
    }
  } finally {
    for (const { model } of opened.values()) model.dispose();
  }
}

function keyOf({ model, input }: PretrainedOptions): string {
  return JSON.stringify([model, input ?? null]);
}

interface OpenedFile extends OpenedModel {
  /** Its model.json. */
  readonly file: string;
}

/** Builds opened models into one network. */
class Grafts implements OpenModels {
  readonly parts: PretrainedPart[] = [];
  /** A model that is applied twice is told of once. */
  readonly doubts = new Set<string>();
  readonly #opened: ReadonlyMap<string, OpenedFile>;
  readonly #beside: ExternalModels;
  readonly #names = new Set<string>();
  readonly #baseDir: string;

  constructor(opened: ReadonlyMap<string, OpenedFile>, beside: ExternalModels, baseDir: string) {
    this.#opened = opened;
    this.#beside = beside;
    this.#baseDir = baseDir;
  }

  apply(options: PretrainedOptions, input: SymbolicTensor): SymbolicTensor {
    return this.#beside.runs(options.model) ? this.#applyBeside(options, input) : this.#applyLayers(options, input);
  }

  #applyBeside(options: PretrainedOptions, input: SymbolicTensor): SymbolicTensor {
    const { tensor, part } = this.#beside.apply(options, input);
    const { model, digest, output } = part;
    const file = this.#beside.files.get(digest);
    if (file !== undefined) this.#doubt(options, file, input);
    const preprocessing = this.#beside.readsTexts(part) ? null : part.preprocessing;
    this.parts.push({ model, digest, output, preprocessing, frozen: [], trained: [] });
    return tensor;
  }

  #applyLayers(options: PretrainedOptions, input: SymbolicTensor): SymbolicTensor {
    if (options.pooling !== undefined) {
      throw new ConfigError(
        `pretrained({ model: "${options.model}", pooling: "${options.pooling}" }) is for ONNX models that read texts. Leave out pooling; poolTokens pools the tokens of layers.`,
        { model: options.model },
      );
    }
    const opened = this.#opened.get(keyOf(options));
    if (opened === undefined) throw new ModelWanted(options);
    const entrance = entranceOf(opened.model, options.model);
    const { tensor, layer: first } = this.#preprocessed(options, opened, entrance, input);
    this.#doubt(options, opened.file, input);
    const output = outputOf(opened.model, options);
    const { outputs, copies } = this.#replayed(options, output, entrance, tensor, input);
    const [result] = outputs;
    if (result === undefined) throw new Error("one output was asked for");
    const frozen = freeze(options, [...copies]);
    const weighted = [...copies.values()].filter(({ weights }) => weights.length > 0);
    const names = (layers: readonly Layer[]): string[] => layers.map(({ name }) => name);
    this.parts.push({
      model: options.model,
      digest: opened.digest,
      output: output.sourceLayer.name,
      preprocessing: opened.preprocessing,
      frozen: [...names(first === null ? [] : [first]), ...names(weighted.filter((layer) => frozen.has(layer)))],
      trained: names(weighted.filter((layer) => !frozen.has(layer))),
    });
    return result;
  }

  #doubt(options: PretrainedOptions, file: string, { shape }: SymbolicTensor): void {
    const doubt = geometryDoubt(options, file, this.#baseDir, shape);
    if (doubt !== null) this.doubts.add(doubt);
  }

  #preprocessed(
    { model }: PretrainedOptions,
    { preprocessing }: OpenedModel,
    entrance: SymbolicTensor,
    input: SymbolicTensor,
  ): { readonly tensor: SymbolicTensor; readonly layer: Layer | null } {
    if (entrance.shape.length !== input.shape.length) throw wrongSize(model, entrance, input, null);
    if (entrance.shape.length !== 4) return { tensor: input, layer: null };
    if (preprocessing === null) {
      throw new ConfigError(
        `Nothing says what the model ${model} was trained to see. Declare it, e.g. pretrained({ input: { range: [-1, 1] } }) or { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }, or lay its preprocessor_config.json beside it.`,
        { model },
      );
    }
    const seen = input.shape.at(-1) ?? 1;
    const change = pixelChange(preprocessing, seen, entrance.shape.at(-1) ?? seen);
    return preprocess(input, change, this.#nameOf("preprocessing"));
  }

  #replayed(
    { model }: PretrainedOptions,
    output: SymbolicTensor,
    entrance: SymbolicTensor,
    tensor: SymbolicTensor,
    input: SymbolicTensor,
  ) {
    try {
      return replayLayers([output], {
        given: new Map([[entrance, tensor]]),
        configure: (layer, config) => ({ ...plain(config), name: this.#nameOf(layer.name) }),
        flatten: true,
      });
    } catch (error) {
      if (error instanceof LayerMisfit) throw wrongSize(model, entrance, input, error);
      throw error;
    }
  }

  /** Two models, or one that is used twice, may have layers of the same name. */
  #nameOf(name: string): string {
    let free = name;
    for (let count = 2; this.#names.has(free); count++) free = `${name}_${count}`;
    this.#names.add(free);
    return free;
  }
}

/** Penalties and constraints belong to the training that the model comes from. */
function plain(config: LayerConfig): LayerConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, /(Regularizer|Constraint)$/.test(key) ? null : value]),
  );
}

function entranceOf({ inputs }: tfl.LayersModel, model: string): SymbolicTensor {
  const [entrance, ...more] = inputs;
  if (entrance !== undefined && more.length === 0) return entrance;
  throw new ConfigError(
    `The model ${model} has ${inputs.length} inputs; a trunk is applied to one. Save the part that reads one input.`,
    { model, inputs: inputs.map(({ name }) => name) },
  );
}

/** @throws UnknownNameError where the model has no layer of that name */
function outputOf(model: tfl.LayersModel, { output, model: name }: PretrainedOptions): SymbolicTensor {
  const tensors = output === undefined ? model.outputs : outputsNamed(model, output);
  const [tensor, ...more] = tensors ?? [];
  if (tensor === undefined) {
    const known = model.layers.filter((layer) => outputsNamed(model, layer.name) !== null).map((layer) => layer.name);
    throw new UnknownNameError("layer", output ?? "", known, `${name}, which pretrained({ output }) names`);
  }
  if (more.length > 0 && output === undefined) {
    throw new ConfigError(
      `The model ${name} has ${tensors?.length} outputs. Say which one: pretrained({ output: "${tensor.sourceLayer.name}" }).`,
      { model: name, outputs: tensors?.map(({ sourceLayer }) => sourceLayer.name) },
    );
  }
  return tensor;
}

/** What a layer puts out where it is called last; null where the model has no such layer. */
function outputsNamed(model: tfl.LayersModel, name: string): SymbolicTensor[] | null {
  const layer = model.layers.find((each) => each.name === name);
  if (layer === undefined || layer.inboundNodes.length === 0 || layer.getClassName() === "InputLayer") return null;
  return layer.inboundNodes.at(-1)?.outputTensors ?? null;
}

/** Marks the frozen layers: what has no weights too, since dropout then drops nothing. */
function freeze(options: PretrainedOptions, copies: readonly (readonly [Layer, Layer])[]): ReadonlySet<Layer> {
  const { freeze: choice = true, batchNormalization = "frozen", model } = options;
  const chosen = chooseFrozen(
    choice,
    copies.map(([layer]) => layer),
    model,
  );
  const frozen = new Set<Layer>();
  for (const [layer, copy] of copies) {
    const isNormalization = copy.getClassName() === "BatchNormalization";
    if (!chosen.has(layer) && !(isNormalization && batchNormalization === "frozen")) continue;
    copy.trainable = false;
    frozen.add(copy);
  }
  return frozen;
}

function wrongSize(
  model: string,
  { shape: expected }: SymbolicTensor,
  { shape: got }: SymbolicTensor,
  misfit: LayerMisfit | null,
): ConfigError {
  const [height, width] = expected.slice(1);
  const wayOut =
    expected.length === 4 && height != null && width != null
      ? `Declare image({ size: [${height}, ${width}] }), or take the output of an earlier layer.`
      : "Apply it to an input of that shape.";
  const why = misfit === null ? "" : `, and its layer "${misfit.layer}" does not fit that`;
  return new ConfigError(
    `The model ${model} reads ${described(expected)}, but is applied to ${described(got)}${why}. ${wayOut}`,
    { model, expected, got, layer: misfit?.layer ?? null },
  );
}

function described(shape: readonly (number | null)[]): string {
  return `[${shape.map((size, axis) => size ?? (axis === 0 ? "batch" : "any")).join(", ")}]`;
}
