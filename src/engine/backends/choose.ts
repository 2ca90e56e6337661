/** @file Which compute backend tfjs runs on: chosen by name, made ready once, with the reason on record. */
import { BackendError } from "../../errors.js";
import type { Backend, BackendRequest, OpenedBackend } from "./backend.js";
import { cpu } from "./cpu.js";
import { type Device, deviceName } from "./device.js";
import { tensorflow } from "./tensorflow/tensorflow.js";
import { wasm } from "./wasm/wasm.js";
import { webgpu } from "./webgpu/webgpu.js";

export type BackendName = "wasm" | "cpu" | "tensorflow" | "webgpu";
/** What a user may ask for; `auto` takes the fastest that loads. */
export type BackendChoice = "auto" | BackendName;

/** The backend that is in use. */
export interface BackendInfo extends OpenedBackend {
  readonly name: BackendName;
  /** One line: which backend was taken and why. */
  readonly reason: string;
}

const backends: { readonly [Name in BackendName]: Backend } = { tensorflow, webgpu, wasm, cpu };

/** Names of all backends, as `--backend` takes them. */
export const BACKEND_NAMES = Object.keys(backends) as readonly BackendName[];

/** What `auto` tries, the fastest first; the last one is part of every installation. */
const AUTO_ORDER = ["tensorflow", "webgpu", "wasm"] as const satisfies readonly BackendName[];

/** The backend that `auto` tries first here, found without loading any. */
export async function firstChoice(request: BackendRequest = {}): Promise<BackendName> {
  for (const name of AUTO_ORDER) {
    if (lacks(name, request.device ?? null) === null && (await backends[name].passedOver?.(request)) == null)
      return name;
  }
  return "wasm";
}

const opened = new Map<BackendName, Promise<OpenedBackend>>();

/**
 * Makes a backend ready and the current one of tfjs. Loads tfjs on the first call; asking again is cheap.
 * @throws BackendError when the backend does not load, with the way out
 */
export async function openBackend(choice: BackendChoice, request: BackendRequest = {}): Promise<BackendInfo> {
  const { device = null } = request;
  if (choice !== "auto") {
    const backend = await open(choice, request);
    return { ...backend, name: choice, reason: `${choice}: ${backend.device}, asked for by name` };
  }
  const passedOver: string[] = [];
  for (const name of AUTO_ORDER) {
    const why = lacks(name, device) ?? (await backends[name].passedOver?.(request)) ?? null;
    if (why !== null) {
      passedOver.push(`${name} ${why}`);
      continue;
    }
    try {
      const backend = await open(name, request);
      const rest = passedOver.length === 0 ? "" : ` (${passedOver.join("; ")})`;
      return { ...backend, name, reason: `${name}: ${backend.device}, the fastest that loads here${rest}` };
    } catch (error) {
      if (!(error instanceof BackendError) || name === AUTO_ORDER.at(-1)) throw error;
      passedOver.push(`${name} does not load: ${error.message}`);
    }
  }
  const tried = passedOver.join("; ");
  throw new BackendError(`No backend computes on ${device === null ? "this machine" : deviceName(device)}: ${tried}.`, {
    tried: AUTO_ORDER,
    device: device === null ? null : deviceName(device),
  });
}

/** Why a backend cannot compute on a device; null where it can. */
function lacks(name: BackendName, device: Device | null): string | null {
  return device === null || backends[name].devices.includes(device.kind)
    ? null
    : `does not compute on a ${device.kind}`;
}

async function open(name: BackendName, request: BackendRequest): Promise<OpenedBackend> {
  const { device = null } = request;
  const lack = lacks(name, device);
  if (lack !== null) throw new BackendError(`The backend ${name} ${lack}. Leave --device or --backend out.`, { name });
  // one that has several devices, or GPUs, looks whether it is on the right one
  const isSettled = device === null || (device.kind === "cpu" && backends[name].devices.length === 1);
  const opening = (isSettled ? opened.get(name) : undefined) ?? backends[name].open(request);
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
