/** @file Which compute backend tfjs runs on: chosen by name, made ready once, with the reason on record. */
import { BackendError } from "../errors.js";
import type { Backend, OpenedBackend } from "./backends/backend.js";
import { cpu } from "./backends/cpu.js";
import { tensorflow } from "./backends/tensorflow.js";
import { wasm } from "./backends/wasm.js";

export type BackendName = "wasm" | "cpu" | "tensorflow";
/** What a user may ask for; `auto` takes the fastest that loads. */
export type BackendChoice = "auto" | BackendName;

/** The backend that is in use. */
export interface BackendInfo extends OpenedBackend {
  readonly name: BackendName;
  /** One line: which backend was taken and why. */
  readonly reason: string;
}

const backends: { readonly [Name in BackendName]: Backend } = { tensorflow, wasm, cpu };

/** What `auto` tries, the fastest first; the last one is part of every installation. */
const AUTO_ORDER = ["tensorflow", "wasm"] as const satisfies readonly BackendName[];

const opened = new Map<BackendName, Promise<OpenedBackend>>();

/**
 * Makes a backend ready and the current one of tfjs. Loads tfjs on the first call; asking again is cheap.
 * @throws BackendError when the backend does not load, with the way out
 */
export async function openBackend(choice: BackendChoice): Promise<BackendInfo> {
  if (choice !== "auto") return { ...(await open(choice)), name: choice, reason: `${choice}: asked for by name` };
  const passedOver: string[] = [];
  for (const name of AUTO_ORDER) {
    const why = (await backends[name].passedOver?.()) ?? null;
    if (why !== null) {
      passedOver.push(`${name} ${why}`);
      continue;
    }
    try {
      const backend = await open(name);
      const rest = passedOver.length === 0 ? "" : ` (${passedOver.join("; ")})`;
      return { ...backend, name, reason: `${name}: ${backend.device}, the fastest that loads here${rest}` };
    } catch (error) {
      if (!(error instanceof BackendError) || name === AUTO_ORDER.at(-1)) throw error;
      passedOver.push(`${name} does not load: ${error.message}`);
    }
  }
  throw new BackendError("No backend loads on this machine. Install dnn-cool again.", { tried: AUTO_ORDER });
}

async function open(name: BackendName): Promise<OpenedBackend> {
  const opening = opened.get(name) ?? backends[name].open();
  opened.set(name, opening);
  try {
    const backend = await opening;
    await activate(name);
    return backend;
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
