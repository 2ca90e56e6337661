/** @file A tfjs graph model that reads pictures: what it takes, what it puts out, and running it. */
import * as tf from "@tensorflow/tfjs-core";
import { at } from "../../../arrays.js";
import { ConfigError, lineOf, UnknownNameError } from "../../../errors.js";
import { assertThere, type ExternalModel, type ModelNeeds } from "./external-model.js";
import { type GraphModel, loadGraphRuntime } from "./graph-runtime.js";
import { type PackedGraph, readPackedGraph } from "./packed-graph.js";
import { changePixels, type PixelChange, pixelChange } from "./preprocessing.js";

/**
 * Opens a packed graph model on the backend that is set.
 * @throws BackendError where tfjs's converter is not installed; ConfigError, UnknownNameError for a file that is no
 * model, or one that does not read such pictures or has no such output
 */
export async function openGraph(needs: ModelNeeds): Promise<ExternalModel> {
  const { model, file, projectDir } = needs;
  assertThere(file, model);
  const runtime = loadGraphRuntime(projectDir);
  const packed = readPackedGraph(file, model);
  const graph = await load(runtime, packed, needs);
  try {
    const entrance = entranceOf(graph, needs);
    const output = outputOf(graph, packed, needs);
    const change = pixelChange(needs.preprocessing, needs.channels, entrance.channels);
    const compute = (pixels: Uint8Array, rows: number) =>
      run(graph, { ...entrance, output, change }, needs, pixels, rows);
    const [height, width] = needs.size;
    const probe = compute(new Uint8Array(height * width * needs.channels), 1);
    const shape = probe.shape.slice(1);
    const pixelsEach = height * width * needs.channels;
    return {
      output,
      shape: shape.length === 0 ? [1] : shape,
      runtime: `tfjs ${tf.getBackend()}`,
      async run(pixels: Uint8Array, rows) {
        if (!entrance.isSingle) return compute(pixels, rows).values;
        const each = Array.from({ length: rows }, (_, row) =>
          compute(pixels.subarray(row * pixelsEach, (row + 1) * pixelsEach), 1),
        );
        const values = new Float32Array(rows * probe.values.length);
        each.forEach((answer, row) => {
          values.set(answer.values, row * probe.values.length);
        });
        return values;
      },
      async close() {
        graph.dispose();
      },
    };
  } catch (error) {
    graph.dispose();
    throw error;
  }
}

async function load(
  runtime: ReturnType<typeof loadGraphRuntime>,
  { nodes: _, ...artifacts }: PackedGraph,
  { model }: ModelNeeds,
): Promise<GraphModel> {
  try {
    return await runtime.loadGraphModel({ load: async () => ({ ...artifacts, format: "graph-model" }) });
  } catch (error) {
    throw unusable(model, error);
  }
}

interface Entrance {
  readonly name: string;
  readonly channels: number;
  /** Whether it takes one picture at a time. */
  readonly isSingle: boolean;
}

function entranceOf({ inputs }: GraphModel, { model, size, channels }: ModelNeeds): Entrance {
  const [entrance, ...more] = inputs;
  const shape = entrance?.shape ?? [];
  if (entrance === undefined || more.length > 0 || shape.length !== 4 || entrance.dtype !== "float32") {
    const shown = inputs.map((input) => `${input.name}: ${input.dtype} [${(input.shape ?? []).join(", ")}]`);
    throw new ConfigError(
      `The graph model ${model} reads ${shown.join(" and ") || "nothing"}; a trunk takes a model of one float32 input of pictures, [batch, height, width, channels]. Convert the part that reads pictures.`,
      { model, inputs: shown },
    );
  }
  const [batch, height, width, counted] = shape.map((side) => (side == null || side < 0 ? null : side));
  const misfit = [height, width].some((side, axis) => side != null && side !== size[axis]);
  if (misfit) {
    throw new ConfigError(
      `The graph model ${model} reads pictures of ${height ?? "any"} × ${width ?? "any"}, but is applied to ${size.join(" × ")}. Declare image({ size: [${height ?? size[0]}, ${width ?? size[1]}] }), or convert it with sizes that are free.`,
      { model, expected: [height, width], got: size },
    );
  }
  return { name: entrance.name, channels: counted ?? channels, isSingle: batch === 1 };
}

/** Any of its nodes may be named; first come those that it is meant to put out. */
function outputOf({ outputs }: GraphModel, { nodes }: PackedGraph, { model, output }: ModelNeeds): string {
  // a node's outputs are counted behind its name
  const names = [...new Set([...outputs.map(({ name }) => name.replace(/:0$/, "")), ...nodes])];
  const found = output === undefined ? names[0] : names.find((name) => name === output);
  if (found !== undefined) return found;
  throw new UnknownNameError("output", output ?? "", names, `${model}, which pretrained({ output }) names`);
}

interface Answer {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

function run(
  graph: GraphModel,
  { name, output, change }: Entrance & { readonly output: string; readonly change: PixelChange },
  needs: ModelNeeds,
  pixels: Uint8Array,
  rows: number,
): Answer {
  const answer: { values: Float32Array; shape: readonly number[]; dtype: string } = {
    ...{ values: new Float32Array(0), shape: [], dtype: "nothing" },
  };
  try {
    // tidy looks for tensors among all that it is given back, so nothing is
    tf.tidy(() => {
      const seen = changePixels(pixels, rows, needs, change, false);
      const fed = tf.tensor4d(seen, [rows, ...needs.size, change.bias.length]);
      const result = at([graph.execute({ [name]: fed }, output)].flat(), 0);
      answer.dtype = result.dtype;
      answer.shape = result.shape;
      answer.values = Float32Array.from(result.dataSync());
    });
  } catch (error) {
    throw unusable(needs.model, error);
  }
  const { dtype, shape } = answer;
  if (dtype === "float32" && shape[0] === rows) return answer;
  throw new ConfigError(
    `The output "${output}" of the graph model ${needs.model} is ${dtype} [${shape.join(", ")}] for ${rows === 1 ? "one picture" : `${rows} pictures`}, but a trunk takes float32 numbers of each. Name another one: pretrained({ output }).`,
    { model: needs.model, output, dtype, shape },
  );
}

function unusable(model: string, error: unknown): ConfigError {
  const reason = lineOf(error).replace(/[. ]+$/, "");
  const operator = /(?:Unknown op|Kernel|node|dynamic op) '([^']+)'/.exec(reason)?.[1];
  const isUnknown = /Unknown op|not registered for backend|not supported/i.test(reason);
  const isDynamic = reason.includes("executeAsync");
  if (operator !== undefined && (isUnknown || isDynamic)) {
    const why = isDynamic
      ? "whose result has no fixed size"
      : `which tfjs does not have on the backend ${tf.getBackend()}`;
    return new ConfigError(
      `The graph model ${model} has the operator ${operator}, ${why}. Take the output of a node before it: pretrained({ output }), or convert it without it.`,
      { model, operator, reason },
      { cause: error },
    );
  }
  return new ConfigError(
    `The graph model ${model} cannot be run: ${reason.slice(0, 300)}. Check what it reads, and convert it again.`,
    { model, reason },
    { cause: error },
  );
}
