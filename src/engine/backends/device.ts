/** @file Which device of the machine computes, as `--device` names it. */
import { UsageError } from "../../errors.js";

export type DeviceKind = "cpu" | "gpu";

export type Device = { readonly kind: "cpu" } | { readonly kind: "gpu"; readonly index: number };

/**
 * `cpu`, `gpu` (the first one) or `gpu:N`.
 * @throws UsageError
 */
export function parseDevice(text: string): Device {
  if (text === "cpu") return { kind: "cpu" };
  const match = /^gpu(?::(\d+))?$/.exec(text);
  if (match === null) {
    throw new UsageError(`There is no device "${text}". Name cpu, gpu, or one of several GPUs as gpu:0.`, {
      device: text,
    });
  }
  return { kind: "gpu", index: Number(match[1] ?? 0) };
}

/** A device as `--device` names it: `cpu`, `gpu:1`. */
export function deviceName(device: Device): string {
  return device.kind === "cpu" ? "cpu" : `gpu:${device.index}`;
}
