/** @file Windows that slide over pictures, sequences and volumes: their padding, and what they leave. */
import { at } from "../../../arrays.js";
import type { Attribute } from "../graph.js";
import type { SavedLayer } from "../saved-layers.js";
import type { Value } from "../values.js";
import { textOf, unsupported } from "./writing.js";

export interface Window {
  /** One for each axis over which it slides. */
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: "same" | "valid";
}

export function paddingOf(layer: SavedLayer): Window["padding"] {
  const padding = textOf(layer, "padding", "valid");
  if (padding === "same" || padding === "valid") return padding;
  throw unsupported(layer, `its padding is ${padding}`);
}

/** Sizes between batch and channels. */
export function spatial({ shape }: Value): readonly (number | null)[] {
  return shape.slice(1, -1);
}

/** Sizes of what a window leaves. */
export function afterWindow(sizes: readonly (number | null)[], window: Window): (number | null)[] {
  return sizes.map((size, axis) => {
    if (size === null) return null;
    const stride = at(window.strides, axis);
    return Math.ceil((window.padding === "same" ? size : size - extentOf(window, axis) + 1) / stride);
  });
}

/** Pixels that a window spans along an axis. */
function extentOf({ kernel, dilations }: Window, axis: number): number {
  return (at(kernel, axis) - 1) * at(dilations, axis) + 1;
}

/** The padding as attributes: as tfjs pads, the larger half comes last. */
export function paddingAttributes(sizes: readonly (number | null)[], window: Window): Record<string, Attribute> {
  if (window.padding === "valid") return {};
  const totals = sizes.map((size, axis) => {
    const [stride, extent] = [at(window.strides, axis), extentOf(window, axis)];
    if (size === null) return stride === 1 ? extent - 1 : null;
    return Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0);
  });
  const known = totals.filter((total) => total !== null);
  // of a sequence of any length only the runtime can tell
  if (known.length < totals.length) return { auto_pad: "SAME_UPPER" };
  const before = known.map((total) => Math.floor(total / 2));
  return { pads: [...before, ...known.map((total, axis) => total - at(before, axis))] };
}
