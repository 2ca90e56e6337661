/** @file Models that run beside the network, found while its trunk is built: each becomes an input of the network. */
import * as tfl from "@tensorflow/tfjs-layers";
import { type InputSpec, inputShape } from "../../../data/dataset.js";
import { ConfigError, CoolError } from "../../../errors.js";
import { layersBefore } from "../layer-graph.js";
import type { SymbolicTensor, TrunkFunction } from "../trunk.js";
import { describeExternal, type Wanted } from "./describe-external.js";
import { type ExternalPart, type Externals, networkSpecs } from "./external-part.js";
import type { PretrainedOptions } from "./pretrained.js";

type Specs = Readonly<Record<string, InputSpec>>;

/** The trunk needs an input that the network does not have yet. */
class ExternalWanted extends CoolError {
  readonly options: Wanted;
  readonly input: string;

  constructor(options: Wanted, input: string) {
    super(`The model ${options.model} has not been opened yet.`, { model: options.model });
    this.options = options;
    this.input = input;
  }
}

/** Nothing but such models reads an input of the data, so that the network itself must not have it. */
class InputUnread extends CoolError {
  readonly input: string;

  constructor(input: string) {
    super(`Only saved models read the input "${input}".`, { input });
    this.input = input;
  }
}

/** The models of one network. */
export class ExternalModels {
  readonly #baseDir: string;
  readonly #parts = new Map<string, ExternalPart>();
  readonly #files = new Map<string, string>();
  readonly #unread = new Set<string>();
  /** Graph models, by the names in the configuration: their files. */
  readonly #graphs = new Map<string, string>();
  #specs: Specs = {};
  #inputs: Readonly<Record<string, SymbolicTensor>> = {};
  #shaped = new Map<string, SymbolicTensor>();

  /** @param baseDir what paths are relative to, and whose packages are loaded */
  constructor(baseDir: string) {
    this.#baseDir = baseDir;
  }

  get externals(): Externals {
    return { parts: [...this.#parts.values()], unread: [...this.#unread] };
  }

  /** Where the file of each model lies, by its digest. */
  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** Whether a model runs beside the network: its layers are not known to tfjs. */
  runs(model: string): boolean {
    return isOnnx(model) || this.#graphs.has(model);
  }

  /** A model that has turned out to be a graph model. @param file its model.json */
  takeGraph(model: string, file: string): void {
    this.#graphs.set(model, file);
  }

  /** The inputs of the network, instead of those of the data. */
  readonly specs = (specs: Specs): Specs => {
    this.#specs = specs;
    return networkSpecs(specs, this.externals);
  };

  /** The trunk as the network calls it: it sees the inputs of the data, whether the network has them or not. */
  readonly trunk =
    (trunk: TrunkFunction): TrunkFunction =>
    (inputs, layers, specs) => {
      if (this.#parts.size === 0) return trunk(inputs, layers, specs);
      this.#inputs = inputs;
      this.#shaped = new Map();
      const standIns = new Map(
        [...this.#unread].map((name) => [name, tfl.input({ name, shape: inputShape(specOf(this.#specs, name)) })]),
      );
      const seen = new Proxy(inputs, {
        get: (target, key) => standIns.get(String(key)) ?? Reflect.get(target, key),
      });
      const features = trunk(seen, layers, this.#specs);
      this.#assertRead(features);
      return features;
    };

  #assertRead(features: unknown): void {
    const tensors = Object.values(Object(features)).filter((value) => value instanceof tfl.SymbolicTensor);
    const reached = new Set([...layersBefore(tensors)].map(({ name }) => name));
    for (const { input } of this.#parts.values()) {
      if (!this.#unread.has(input) && !reached.has(input)) throw new InputUnread(input);
    }
  }

  /** What a model puts out for an input of pictures or texts. @throws ExternalWanted where it must be opened first */
  apply(
    options: PretrainedOptions,
    input: SymbolicTensor,
  ): { readonly tensor: SymbolicTensor; readonly part: ExternalPart } {
    assertFrozen(options);
    const { name } = input.sourceLayer;
    const kind = this.#kindOf(name, input);
    if (input.inputs.length > 0 || (kind !== "image" && kind !== "tokens")) {
      throw new ConfigError(
        `The model ${options.model} is applied to what is no image input and no text. It runs beside the network, so apply it to a picture or a text itself: pretrained({ … })(image, layers).`,
        { model: options.model },
      );
    }
    const part = this.#parts.get(keyOf(options, name));
    if (part === undefined) throw new ExternalWanted(options, name);
    const tensor = this.#shaped.get(part.name) ?? shaped(part, this.#inputs[part.name]);
    this.#shaped.set(part.name, tensor);
    return { tensor, part };
  }

  readsTexts({ input }: ExternalPart): boolean {
    return specOf(this.#specs, input).kind === "tokens";
  }

  #kindOf(name: string, { shape }: SymbolicTensor): string | null {
    // the first time a trunk is run, the specs are those of the data
    return this.#specs[name]?.kind ?? (shape.length === 4 ? "image" : null);
  }

  /** @returns whether it was a sign of one of these models, which has been heeded */
  async heeds(sign: unknown): Promise<boolean> {
    if (sign instanceof InputUnread) {
      this.#unread.add(sign.input);
      return true;
    }
    if (!(sign instanceof ExternalWanted)) return false;
    const { options, input } = sign;
    const { part, file } = await describeExternal(options, input, specOf(this.#specs, input), {
      baseDir: this.#baseDir,
      graph: this.#graphs.get(options.model) ?? null,
    });
    const same = [...this.#parts.values()].filter((other) => other.input === input).length;
    const name = same === 0 ? part.name : `${part.name}.${same + 1}`;
    this.#parts.set(keyOf(options, input), { ...part, name });
    this.#files.set(part.digest, file);
    return true;
  }
}

function keyOf({ model, input, output, pooling }: Wanted, name: string): string {
  return JSON.stringify([model, input ?? null, output ?? null, pooling ?? null, name]);
}

function specOf(specs: Specs, name: string): InputSpec {
  const spec = specs[name];
  if (spec === undefined) throw new Error(`no input "${name}"`);
  return spec;
}

function shaped(part: ExternalPart, vector: SymbolicTensor | undefined): SymbolicTensor {
  const { name, shape } = part;
  if (vector === undefined) throw new Error(`the network has no input "${name}"`);
  if (shape.length === 1) return vector;
  return tfl.layers.reshape({ name: `${name}.shaped`, targetShape: [...shape] }).apply(vector) as SymbolicTensor;
}

function assertFrozen({ model, freeze = true, batchNormalization = "frozen" }: PretrainedOptions): void {
  if (freeze === true && batchNormalization === "frozen") return;
  throw new ConfigError(
    `The model ${model} runs as it is and cannot be trained. Leave out freeze and batchNormalization, or take a tfjs LayersModel.`,
    { model, freeze },
  );
}

function isOnnx(model: string): boolean {
  return /\.onnx(\?.*)?$/i.test(model);
}
