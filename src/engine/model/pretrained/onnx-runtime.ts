/** @file ONNX Runtime, where the user has installed it: an optional peer, loaded when a trunk needs it. */
import { BackendError, ConfigError, lineOf, UnknownNameError } from "../../../errors.js";
import { noModel, noModelAt } from "./no-model.js";
import { assertThere } from "./external-model.js";
import { loadOptionalPackage, packageFolders } from "../../../platform/optional-package.js";

const PACKAGE = "onnxruntime-node";

/** A tensor, as far as it is used here. */
export interface OnnxTensor {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
  readonly type: string;
}

/** What a model reads or puts out; sizes that are not fixed have a name. */
export interface OnnxValue {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

export interface OnnxSession {
  readonly inputMetadata: readonly OnnxValue[];
  readonly outputMetadata: readonly OnnxValue[];
  run(feeds: Readonly<Record<string, unknown>>, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

/** The package's interface, as far as it is used here. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
}

/**
 * Loads the package from the user's project, else from beside this one.
 * @param projectDir null: there is no project
 * @throws BackendError where it is not installed, or does not load, with what to do
 */
export function loadOnnxRuntime(projectDir: string | null): OnnxRuntime {
  const loaded = loadOptionalPackage(PACKAGE, projectDir, unloadable);
  if (loaded !== null) return loaded as OnnxRuntime;
  throw new BackendError(
    `An ONNX model needs the package ${PACKAGE}, which is not installed${projectDir === null ? "" : ` for ${projectDir}`}. Install it there: ONNXRUNTIME_NODE_INSTALL=skip npm install ${PACKAGE}.`,
    { package: PACKAGE, folders: packageFolders(projectDir) },
  );
}

function unloadable(error: unknown): BackendError {
  const reason = error instanceof Error ? error.message : String(error);
  return new BackendError(
    `The package ${PACKAGE} does not load: ${reason}. Install it again for this Node and system: npm install ${PACKAGE}.`,
    { package: PACKAGE, reason },
    { cause: error },
  );
}

/**
 * @param model its file, or its bytes
 * @param name of the model, for messages
 * @param threads that compute one batch; default: as many as there are cores
 * @throws ConfigError where the file is no model, or has an operator that the runtime lacks
 */
export async function openSession(
  runtime: OnnxRuntime,
  model: string | Uint8Array,
  name: string,
  threads?: number,
): Promise<OnnxSession> {
  try {
    const session = await runtime.InferenceSession.create(model, {
      executionProviders: ["cpu"],
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads, interOpNumThreads: 1 }),
    });
    if (Array.isArray(session.inputMetadata)) return session;
    throw new BackendError(
      `The package ${PACKAGE} is too old: it does not say what a model reads. Install a newer one: npm install ${PACKAGE}@latest.`,
      { package: PACKAGE },
    );
  } catch (error) {
    if (error instanceof BackendError) throw error;
    const told = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").replace(/[. ]+$/, "");
    const problem = typeof model === "string" ? noModelAt(model) : noModel(model);
    const reason = problem ?? (/Protobuf parsing failed/.test(told) ? "it is no ONNX model, or not all of one" : told);
    const operator = /(?:for|:) ?([A-Za-z.]*:?[A-Za-z]+)\(-?\d+\)|No Op registered for (\w+)/.exec(reason);
    const wayOut =
      operator === null
        ? "Give an .onnx file with its weights inside."
        : "Export it with operators of the standard, of an earlier opset or with a newer onnxruntime-node.";
    throw new ConfigError(
      `The ONNX model ${name} cannot be opened: ${reason.slice(0, 300)}. ${wayOut}`,
      {
        model: name,
        reason,
      },
      { cause: error },
    );
  }
}

export interface SessionNeeds {
  /** Its name in messages. */
  readonly model: string;
  readonly file: string;
  /** What is opened in place of the file. */
  readonly bytes?: Uint8Array | undefined;
  /** Whose packages may be loaded; null: there is none. */
  readonly projectDir: string | null;
  /** That compute one batch; default: as many as there are cores. */
  readonly threads?: number | undefined;
}

/**
 * Opens a model for `use`, whose result owns the session: it is released here only where `use` fails.
 * @throws BackendError where the runtime is not installed; ConfigError for a file that is no model
 */
export async function withSession<T>(
  { model, file, bytes, projectDir, threads }: SessionNeeds,
  use: (runtime: OnnxRuntime, session: OnnxSession) => Promise<T>,
): Promise<T> {
  assertThere(file, model);
  const runtime = loadOnnxRuntime(projectDir);
  const session = await openSession(runtime, bytes ?? file, model, threads);
  try {
    return await use(runtime, session);
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** What a model reads, for messages: `pixels: float32 [batch, 3, 224, 224]`. */
export function inputsInWords({ inputMetadata }: Pick<OnnxSession, "inputMetadata">): string[] {
  return inputMetadata.map(({ name, type, shape }) => `${name}: ${type ?? "?"} [${(shape ?? []).join(", ")}]`);
}

/**
 * The output that is named; without a name the preferred one, else the first.
 * @throws UnknownNameError where the model has no such output
 */
export function outputNamed(
  { outputMetadata }: Pick<OnnxSession, "outputMetadata">,
  { model, output }: { readonly model: string; readonly output?: string | undefined },
  preferred?: string,
): string {
  const names = outputMetadata.map(({ name }) => name);
  const [found] =
    output === undefined
      ? [...names.filter((name) => name === preferred), ...names]
      : names.filter((name) => name === output);
  if (found !== undefined) return found;
  throw new UnknownNameError("output", output ?? "", names, `${model}, which pretrained({ output }) names`);
}

/** What a session that refuses its inputs, or fails, becomes. */
export function cannotRun(model: string, error: unknown): ConfigError {
  const reason = lineOf(error)
    .slice(0, 300)
    .replace(/[. ]+$/, "");
  return new ConfigError(
    `The ONNX model ${model} cannot be run: ${reason}. Check what it reads, and export it again.`,
    { model, reason },
    { cause: error },
  );
}
