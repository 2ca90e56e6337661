/** @file A model in ONNX Runtime, as a test asks it. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** What a model is fed. */
export interface Fed {
  readonly type: "uint8" | "int32" | "float32";
  readonly data: Uint8Array | Int32Array | Float32Array;
  readonly dims: readonly number[];
}

export interface Result {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

interface Ort {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<Session>;
  };
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, unknown>>, fetches?: readonly string[]): Promise<Record<string, Result>>;
  release(): Promise<void>;
}

/** The package that `ensureOnnxRuntime` has installed. */
export function ort(): Ort {
  const folder = fileURLToPath(new URL("../../.venv/onnxruntime/", import.meta.url));
  return createRequire(`${folder}_`)("onnxruntime-node") as Ort;
}

/** Opens a model and asks it once. */
export async function askOnnx(model: Uint8Array, fed: Readonly<Record<string, Fed>>): Promise<Record<string, Result>> {
  const session = await openOnnxSession(model);
  try {
    return await session.run(feedsOf(fed));
  } finally {
    await session.release();
  }
}

export function openOnnxSession(model: Uint8Array): Promise<Session> {
  return ort().InferenceSession.create(model, { executionProviders: ["cpu"], logSeverityLevel: 3 });
}

function feedsOf(fed: Readonly<Record<string, Fed>>): Record<string, unknown> {
  const { Tensor } = ort();
  return Object.fromEntries(
    Object.entries(fed).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]),
  );
}
