/** @file The model of an adopted run, taken into an export: fed from its inputs, and its outputs taken for logits. */
import type { InputSpec } from "../../data/dataset.js";
import type { AdoptedModel } from "../../engine/model/pretrained/adopted-model.js";
import { pixelChange } from "../../engine/model/pretrained/preprocessing.js";
import { ConfigError } from "../../errors.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { OnnxGraph } from "./graph.js";
import type { TakenIn } from "./model.js";
import { type OtherInput, type OtherModel, takeIn } from "./merged-model.js";
import type { Entrances } from "./signature.js";
import { plainValue, type Value } from "./values.js";

/** Element types, as `TensorProto.DataType` numbers them. */
const ELEMENT = { float: 1, uint8: 2 } as const;
const PREFIX = "adopted/";

/** What a model is taken into. */
interface Surroundings {
  readonly flow: FlowGraph;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly entrances: Entrances;
}

/**
 * @returns logits by path of task
 * @throws ConfigError where the model takes a fixed number of rows
 */
export function takeAdopted(
  graph: OnnxGraph,
  model: OtherModel,
  adopted: AdoptedModel,
  around: Surroundings,
): { readonly logits: ReadonlyMap<string, Value>; readonly taken: TakenIn } {
  const { inputs } = model;
  const fixed = inputs.find(({ shape }) => (shape[0] ?? 0) > 0);
  if (fixed !== undefined) {
    throw new ConfigError(
      `The model ${adopted.model} takes ${fixed.shape[0]} rows at a time, and an export takes any number. Write it with a free first axis (dynamic_axes of torch.onnx.export), and adopt it again.`,
      { model: adopted.model, input: fixed.name, shape: fixed.shape },
    );
  }
  const feeds = new Map(inputs.map((input) => [input.name, fed(graph, input, inputs, adopted, around)] as const));
  const taken = takeIn(graph, model, PREFIX, feeds);
  const answered = around.flow.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
  const logits = answered.map(({ path, spec }): [string, Value] => {
    const output = `${PREFIX}${adopted.outputs[path] ?? `${path}/logits`}`;
    const width = behaviourOf(spec).logitWidth(spec);
    // an output of one number for each row, or token, may have no axis for it
    if (isPerElement(spec)) {
      return [path, plainValue(graph.op("Reshape", [output, graph.int64([0, 0, width])]), [null, null, width])];
    }
    return [path, plainValue(graph.op("Reshape", [output, graph.int64([-1, width])]), [null, width])];
  });
  return { logits: new Map(logits), taken };
}

/** Name of what an input of the model is fed with. */
function fed(
  graph: OnnxGraph,
  input: OtherInput,
  all: readonly OtherInput[],
  adopted: AdoptedModel,
  { inputs, entrances }: Surroundings,
): string {
  const declared = Object.entries(inputs);
  const isOnly = declared.length === 1 && all.length === 1;
  const found = declared.find(([name]) => isOnly || (adopted.inputs[name] ?? name) === input.name);
  if (found === undefined) return besides(input, adopted, entrances);
  const [name, spec] = found;
  const seen = entrances.seen[name];
  if (seen === undefined) throw new Error(`the input "${name}" is not written`);
  if (spec.kind === "image") return picture(graph, input, name, adopted, seen);
  // a model of a tokenizer's ids takes them as they are
  const value = spec.kind === "tokens" && spec.tokenizer !== undefined ? name : seen.name;
  const typed =
    input.element === ELEMENT.float && value === seen.name ? value : graph.op("Cast", [value], { to: input.element });
  return input.shape.length === 1 ? graph.op("Squeeze", [typed, graph.int64([1])]) : typed;
}

function picture(
  graph: OnnxGraph,
  { element, shape }: OtherInput,
  name: string,
  { preprocessing }: AdoptedModel,
  { name: pixels, shape: own }: Value,
): string {
  const isColour = (size: number | undefined): boolean => size === 1 || size === 3;
  const isFirst = isColour(shape[1]) || !isColour(shape[3]);
  const first = (value: string): string => (isFirst ? graph.op("Transpose", [value], { perm: [0, 3, 1, 2] }) : value);
  if (element === ELEMENT.uint8) return first(name);
  const seen = own[3] ?? 3;
  const counted = (isFirst ? shape[1] : shape[3]) ?? 0;
  const { kernel, bias } = pixelChange(preprocessing, seen, counted > 0 ? counted : seen);
  const product = graph.op("MatMul", [pixels, graph.floats(kernel, [seen, bias.length])]);
  return first(graph.op("Add", [product, graph.floats(bias)]));
}

/** Of a model that was exported from here: what comes with a row besides its inputs. */
function besides({ name }: OtherInput, { model }: AdoptedModel, { known, size, frame }: Entrances): string {
  const own = known[name] ?? (name.endsWith("/size") ? size : name.endsWith("/frame") ? frame : null);
  if (own !== null) return own;
  throw new ConfigError(`The model ${model} takes an input "${name}", which the run does not have. Adopt it again.`, {
    model,
    input: name,
  });
}
