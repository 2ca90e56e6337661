/** @file What computes the network of an export: TensorFlow.js or ONNX Runtime, brought by whoever predicts. */
import { PredictorError } from "./errors.js";
import type { FedInput, InputForm } from "./inputs.js";

/** Computes the logits of some rows. */
export interface Runner {
  readonly takes: InputForm;
  /**
   * @param inputs by name
   * @param paths tasks whose logits are asked for
   * @returns logits by path of task, [rows, logits of the task], of a task per token [rows, padded length, logits]
   */
  run(
    inputs: Readonly<Record<string, FedInput>>,
    paths: readonly string[],
  ): Promise<Readonly<Record<string, ArrayLike<number>>>>;
}

/** A tensor of TensorFlow.js, as far as it is used here. */
export interface TfTensor {
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** `@tensorflow/tfjs`, or `@tensorflow/tfjs-core`, as far as it is used here. */
export interface TfModule<T extends TfTensor> {
  tensor(values: Float32Array, shape: number[], dtype: "float32"): T;
}

/** What `tf.loadLayersModel` gives. */
export interface TfLayersModel<T extends TfTensor> {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  predict(inputs: T[]): T | T[];
}

/**
 * Runs an export of the format `layers`.
 * @param tf the namespace of TensorFlow.js
 * @param model what its `loadLayersModel` made of the export's model.json
 */
export function tfjsRunner<T extends TfTensor>(tf: TfModule<T>, model: TfLayersModel<T>): Runner {
  if (typeof tf?.tensor !== "function" || typeof model?.predict !== "function") {
    throw missing("tfjsRunner(tf, model)", "the namespace of TensorFlow.js and what its loadLayersModel gave");
  }
  return {
    takes: "network",
    async run(inputs, paths) {
      const fed = model.inputNames.map((name) => {
        const { data, shape } = present(inputs, name, "input");
        return tf.tensor(Float32Array.from(data), [...shape], "float32");
      });
      const predicted = model.predict(fed);
      const outputs = Array.isArray(predicted) ? predicted : [predicted];
      try {
        const byName = Object.fromEntries(model.outputNames.map((name, i) => [name, outputs[i]]));
        const asked = paths.map(async (path) => [path, await present(byName, path, "output").data()] as const);
        return Object.fromEntries(await Promise.all(asked));
      } finally {
        for (const tensor of [...fed, ...outputs]) tensor.dispose();
      }
    },
  };
}

/** `onnxruntime-node`, `onnxruntime-web` or `onnxruntime-common`, as far as it is used here. */
export interface OnnxModule {
  readonly Tensor: new (type: "uint8" | "int32" | "float32", data: never, dims: readonly number[]) => unknown;
}

/** What `ort.InferenceSession.create` gives for an export of the format `onnx`. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  run(feeds: never, fetches: never): Promise<unknown>;
}

/**
 * Runs an export of the format `onnx`.
 * @param ort the namespace of ONNX Runtime
 * @param session opened on the export's model.onnx
 */
export function onnxRunner(ort: OnnxModule, session: OnnxSession): Runner {
  if (typeof ort?.Tensor !== "function" || typeof session?.run !== "function") {
    throw missing("onnxRunner(ort, session)", "the namespace of ONNX Runtime and what InferenceSession.create gave");
  }
  return {
    takes: "signature",
    async run(inputs, paths) {
      const feeds = session.inputNames.map((name) => {
        const { data, shape } = present(inputs, name, "input");
        const type = data instanceof Uint8Array ? "uint8" : data instanceof Int32Array ? "int32" : "float32";
        return [name, new ort.Tensor(type, data as never, shape)] as const;
      });
      const fetches = paths.map((path) => `${path}/logits`);
      const outputs = (await session.run(Object.fromEntries(feeds) as never, fetches as never)) as Readonly<
        Record<string, { readonly data: ArrayLike<number> }>
      >;
      return Object.fromEntries(paths.map((path) => [path, present(outputs, `${path}/logits`, "output").data]));
    },
  };
}

function missing(call: string, takes: string): PredictorError {
  return new PredictorError(
    `${call} takes ${takes}, and one of them is missing. Import the one as * and await the other.`,
    { call },
  );
}

function present<T>(values: Readonly<Record<string, T | undefined>>, name: string, what: "input" | "output"): T {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value !== undefined) return value;
  const known = Object.keys(values).join(", ") || "nothing";
  throw new PredictorError(
    `The model and its predictor.json do not belong together: there is no ${what} "${name}" among ${known}. Take both from one export.`,
    { [what]: name, known: Object.keys(values) },
  );
}
