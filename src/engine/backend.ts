/** @file Which compute backend tfjs runs on: chosen by name, made ready once, with the reason on record. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BackendError } from "../errors.js";

/** What a user may ask for; `auto` takes the fastest that loads. */
export type BackendChoice = "auto" | BackendName;
export type BackendName = "wasm" | "cpu" | "tensorflow";

/** The backend that is in use. */
export interface BackendInfo {
  readonly name: BackendName;
  /** Version of the npm package that computes. */
  readonly version: string;
  /** One line: which backend was taken and why. */
  readonly reason: string;
  readonly threads: number;
}

type Opener = () => Promise<Omit<BackendInfo, "name" | "reason">>;

/** Packages of the tensorflow backend, the faster one first. */
const TENSORFLOW_PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

const openers: { readonly [Name in BackendName]: Opener } = {
  wasm: openWasm,
  cpu: openCpu,
  tensorflow: openTensorflow,
};

const opened = new Map<BackendName, ReturnType<Opener>>();

/**
 * Makes a backend ready and the current one of tfjs. Loads tfjs on the first call; asking again is cheap.
 * @throws BackendError when the backend does not load, with the way out
 */
export async function openBackend(choice: BackendChoice): Promise<BackendInfo> {
  const name = choice === "auto" ? "wasm" : choice;
  const reason =
    choice === "auto" ? "wasm: the fastest backend that is part of this installation" : `${name}: asked for by name`;
  const opening = opened.get(name) ?? openers[name]();
  opened.set(name, opening);
  try {
    const { version, threads } = await opening;
    await activate(name);
    return { name, version, reason, threads };
  } catch (error) {
    opened.delete(name);
    throw error;
  }
}

async function activate(name: BackendName): Promise<void> {
  const tf = await import("@tensorflow/tfjs-core");
  const isActive = await tf.setBackend(name);
  if (!isActive) {
    throw new BackendError(`The backend ${name} does not start. Take another one with --backend cpu.`, { name });
  }
}

async function openWasm(): ReturnType<Opener> {
  await prepareCore();
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const { registerWasmGradientKernels } = await import("./wasm-kernels/index.js");
  registerWasmGradientKernels();
  const removeListeners = newProcessListeners();
  wasm.setWasmPaths(wasmFolder());
  await activate("wasm");
  removeListeners();
  return { version: wasm.version_wasm, threads: wasm.getThreadsCount() };
}

async function openCpu(): ReturnType<Opener> {
  const tf = await prepareCore();
  const { version_cpu: version } = await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  withoutGreeting(tf);
  return { version, threads: 1 };
}

async function openTensorflow(): ReturnType<Opener> {
  const require = createRequire(import.meta.url);
  const isInstalled = TENSORFLOW_PACKAGES.some((name) => resolves(require, name));
  const problem = isInstalled
    ? "is installed but not supported yet. Use --backend wasm."
    : "is not installed. Install it with `npm i @tensorflow/tfjs-node`, or use --backend wasm.";
  throw new BackendError(`The tensorflow backend (${TENSORFLOW_PACKAGES.join(" or ")}) ${problem}`, {
    backend: "tensorflow",
    packages: TENSORFLOW_PACKAGES,
    isInstalled,
  });
}

function resolves(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

async function prepareCore(): Promise<typeof import("@tensorflow/tfjs-core")> {
  const tf = await import("@tensorflow/tfjs-core");
  const { addTensorMethods } = await import("./tensor-methods.js");
  addTensorMethods();
  return tf;
}

/** The folder with the .wasm binaries of the installed package, with a slash at its end as tfjs expects. */
function wasmFolder(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/");
}

/**
 * The wasm module listens for uncaught errors and throws them again from inside its bundle, which would bury any
 * error of this process under a minified line.
 * @returns a function that takes off the listeners that were added since
 */
function newProcessListeners(): () => void {
  const events = ["uncaughtException", "unhandledRejection"];
  const before = new Map(events.map((event) => [event, new Set(process.rawListeners(event))]));
  return () => {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!before.get(event)?.has(listener)) process.off(event, listener as (...args: unknown[]) => void);
      }
    }
  };
}

/** The cpu backend greets with an advertisement on its first tensor, unless it takes itself for already used. */
function withoutGreeting(tf: typeof import("@tensorflow/tfjs-core")): void {
  const backend = tf.engine().backend as unknown as { firstUse: boolean };
  backend.firstUse = false;
}
