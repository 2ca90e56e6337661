/** @file The layers of a network as ONNX operators. */
import type { FlowGraph } from "../../flow/graph.js";
import { type Branch, type BranchPlan, canBeZeros, crossing, NO_BRANCHES, planBranches } from "./branches.js";
import { OnnxGraph } from "./graph.js";
import { writeLayer } from "./layers/index.js";
import type { SavedLayer, SavedLayers } from "./saved-layers.js";
import { UnsupportedLayer } from "./unsupported.js";
import { channelsLast, type Value } from "./values.js";

/** Values of layers by name. */
type Values = ReadonlyMap<string, Value>;

/**
 * Writes the layers that lead to some outputs, each once.
 * @param inputs of the network by name, as its layers see them
 * @param wanted names of the layers whose outputs are asked for
 * @returns their outputs, channels last
 * @throws UnsupportedLayer
 */
export function writeNetwork(
  graph: OnnxGraph,
  saved: SavedLayers,
  inputs: Readonly<Record<string, Value>>,
  wanted: readonly string[],
): Map<string, Value> {
  const network = new NetworkWriter(graph, saved, inputs, NO_BRANCHES, []);
  return new Map(wanted.map((name) => [name, network.value(name, never)]));
}

/** Of a plan without branches nobody asks. */
function never(task: string): string {
  throw new Error(`"${task}" is in no branch`);
}

/** Which of the questions are asked, [batch] or [batch, length] of truth values. */
type ActiveOf = (task: string) => string;

/** Writes layers when they are asked for: some into the branches of `If`. */
export class NetworkWriter {
  readonly #graph: OnnxGraph;
  readonly #byName: ReadonlyMap<string, SavedLayer>;
  readonly #inputs: Readonly<Record<string, Value>>;
  readonly #plan: BranchPlan;
  readonly #values = new Map<string, Value>();
  /** Layers that are read outside of each branch. */
  readonly #outputs: ReadonlyMap<Branch, readonly string[]>;

  constructor(
    graph: OnnxGraph,
    saved: SavedLayers,
    inputs: Readonly<Record<string, Value>>,
    plan: BranchPlan,
    outputs: readonly (readonly [Branch, readonly string[]])[],
  ) {
    this.#graph = graph;
    this.#byName = new Map(saved.layers.map((layer) => [layer.name, layer]));
    this.#inputs = inputs;
    this.#plan = plan;
    this.#outputs = new Map(outputs);
  }

  /** The output of a layer, channels last. @throws UnsupportedLayer */
  value(name: string, activeOf: ActiveOf): Value {
    return channelsLast(this.#graph, this.#valueIn(this.#graph, name, this.#values, activeOf));
  }

  /** Goes down without recursion as deep as the network is. */
  #valueIn(graph: OnnxGraph, wanted: string, values: Map<string, Value>, activeOf: ActiveOf): Value {
    const waiting = [wanted];
    for (let name = waiting.at(-1); name !== undefined; name = waiting.at(-1)) {
      if (values.has(name) || this.#values.has(name)) {
        waiting.pop();
        continue;
      }
      const layer = this.#layer(name, wanted);
      const missing = layer.inputs.filter((input) => !values.has(input) && !this.#values.has(input));
      const branch = graph === this.#graph ? this.#plan.of.get(name) : undefined;
      if (branch !== undefined) {
        this.#writeBranch(branch, activeOf);
        continue;
      }
      if (missing.length > 0) {
        waiting.push(...missing.reverse());
        continue;
      }
      values.set(name, this.#write(graph, layer, values));
    }
    return this.#known(wanted, values);
  }

  #layer(name: string, reader: string): SavedLayer {
    const layer = this.#byName.get(name);
    if (layer !== undefined) return layer;
    throw new UnsupportedLayer(reader, "a layer", `it reads "${name}", which is not there`);
  }

  #known(name: string, values: Values): Value {
    const value = values.get(name) ?? this.#values.get(name);
    if (value === undefined) throw new Error(`the layer "${name}" was not written`);
    return value;
  }

  #write(graph: OnnxGraph, layer: SavedLayer, values: Values): Value {
    if (layer.className !== "InputLayer") {
      return writeLayer(
        layer,
        layer.inputs.map((input) => this.#known(input, values)),
        graph,
      );
    }
    const input = this.#inputs[layer.name];
    if (input === undefined) throw new UnsupportedLayer(layer.name, layer.className, "nothing feeds it");
    return input;
  }

  /** Its layers where one of its questions is asked of any row; else zeros. */
  #writeBranch(branch: Branch, activeOf: ActiveOf): void {
    const graph = this.#graph;
    const inside = new Set(branch.layers);
    const read = branch.layers.flatMap((name) => this.#byName.get(name)?.inputs ?? []);
    for (const name of read) if (!inside.has(name)) this.#valueIn(graph, name, this.#values, activeOf);
    const counts = branch.owners.map((owner) =>
      graph.op("ReduceSum", [graph.op("Cast", [activeOf(owner)], { to: 1 })], { keepdims: 0 }),
    );
    const count = counts.reduce((left, right) => graph.op("Add", [left, right]));
    const isNeeded = graph.op("Greater", [count, graph.float(0.5)]);
    const [body, otherwise] = [graph.body(), graph.body()];
    const values = new Map<string, Value>();
    const outputs = this.#outputs.get(branch) ?? [];
    const made = outputs.map((name) => channelsLast(body, this.#valueIn(body, name, values, activeOf)));
    for (const { name, shape } of made) {
      body.output(body.fresh("output"), name, "float", null);
      const zeros = otherwise.op("ConstantOfShape", [this.#sizes(shape)]);
      otherwise.output(otherwise.fresh("zeros"), zeros, "float", null);
    }
    const results = graph.ops("If", [isNeeded], made.length, { then_branch: body, else_branch: otherwise });
    made.forEach(({ shape }, i) => {
      const value: Value = { name: results[i] ?? "", shape, layout: "last", mask: null };
      this.#values.set(outputs[i] ?? "", value);
    });
  }

  /** A shape with the sizes of this batch. */
  #sizes(shape: Value["shape"]): string {
    const graph = this.#graph;
    const free = shape.filter((size) => size === null).length;
    const tokens = Object.values(this.#inputs).find((input) => input.shape[1] === null);
    const source = tokens ?? Object.values(this.#inputs)[0];
    if (source === undefined) throw new Error("the network has no inputs");
    const sizes = graph.op("Slice", [graph.op("Shape", [source.name]), graph.int64([0]), graph.int64([free])]);
    return graph.op("Concat", [sizes, graph.int64(shape.slice(free).map(Number))], { axis: 0 });
  }
}

/**
 * A network whose layers that only gated questions need run where they are asked of any row.
 * @param plain writes the same inputs, to learn what each layer puts out
 */
export function branchedNetwork(
  graph: OnnxGraph,
  flow: FlowGraph,
  saved: SavedLayers,
  inputs: Readonly<Record<string, Value>>,
): NetworkWriter {
  const trial = new NetworkWriter(new OnnxGraph(graph.opset), saved, inputs, NO_BRANCHES, []);
  const heads = new Map(flow.tasks.map((task) => [task.path, task]));
  const isFree = (name: string): boolean => {
    const { shape, mask } = trial.value(name, never);
    return mask === null && canBeZeros(shape, heads.get(name));
  };
  const plan = planBranches(flow, saved, isFree);
  const outputs = plan.branches.map((branch) => {
    const inside = new Set(branch.layers);
    const layers = saved.layers.filter(({ name }) => inside.has(name));
    return [branch, crossing(layers, saved, flow)] as const;
  });
  return new NetworkWriter(graph, saved, inputs, plan, outputs);
}
