/** @file Stored samples of a mask → labels of its task. */
import type { TaskSpec } from "../../../flow/graph.js";
import { at } from "../../../arrays.js";
import type { StoredSamples } from "./png-samples.js";

/**
 * Labels of a mask's pixels, NaN where the value says that there is none. Binary: 0 is no, 1 and the largest value of the
 * samples are yes; classification: the class's place among `classes`, or its colour among `colours`; regression: the
 * value times `pixelUnit`.
 * @returns what is wrong with the mask otherwise
 */
export function maskValues(spec: TaskSpec, stored: StoredSamples): Float32Array | string {
  const { samples, channels, width, height } = stored;
  const colours = spec.kind === "classification" ? spec.colours : undefined;
  if (colours !== undefined && channels === 1) {
    return "is grey or has a palette, but the task has colours; write an RGB mask, or take colours out";
  }
  if (channels === 3 && colours === undefined) {
    return spec.kind === "classification"
      ? "has RGB colours; give the task colours, one per class, or write a mask whose values are the classes' places"
      : "has RGB colours; write a grey mask";
  }
  const labelOf =
    colours === undefined ? labelReader(spec, samples instanceof Uint16Array) : colourReader(spec, colours);
  const known = new Map<number, number | null>();
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const value = channels === 1 ? at(samples, i) : packed(samples, i * 3);
    const read = known.get(value);
    const label = read === undefined ? labelOf(value) : read;
    if (read === undefined) known.set(value, label);
    if (label === null) return wrongValue(spec, value, channels, [i % width, Math.floor(i / width)]);
    out[i] = label;
  }
  return out;
}

/** NaN: missing; null: no label. */
type LabelOf = (value: number) => number | null;

function labelReader(spec: TaskSpec, wide: boolean): LabelOf {
  const ignore = "ignore" in spec ? spec.ignore : undefined;
  if (spec.kind === "regression") {
    const { pixelUnit = 1 } = spec;
    return (value) => (value === ignore ? Number.NaN : value * pixelUnit);
  }
  if (spec.kind === "binary") {
    const yes = wide ? 65_535 : 255;
    return (value) => {
      if (value === ignore) return Number.NaN;
      if (value === 0) return 0;
      return value === 1 || value === yes ? 1 : null;
    };
  }
  const classes = spec.kind === "classification" ? spec.classes.length : 0;
  // what predicted masks have where a pixel is not asked
  const missing = ignore ?? (classes > 255 ? 65_535 : 255);
  return (value) => {
    if (value === missing) return Number.NaN;
    return value < classes ? value : null;
  };
}

/** Colours of the classes; the grey of `ignore` is missing where no class has it. */
function colourReader(spec: TaskSpec, colours: readonly string[]): LabelOf {
  const classOf = new Map(colours.map((colour, i) => [Number.parseInt(colour.slice(1), 16), i]));
  const ignore = ("ignore" in spec ? spec.ignore : undefined) ?? 255;
  const missing = ignore * 0x01_01_01;
  return (value) => classOf.get(value) ?? (value === missing ? Number.NaN : null);
}

function packed(samples: StoredSamples["samples"], at3: number): number {
  const shift = samples instanceof Uint16Array ? 8 : 0;
  return ((at(samples, at3) >> shift) << 16) | ((at(samples, at3 + 1) >> shift) << 8) | (at(samples, at3 + 2) >> shift);
}

function wrongValue(spec: TaskSpec, value: number, channels: number, [x, y]: readonly [number, number]): string {
  const where = `at column ${x + 1}, row ${y + 1}`;
  if (channels === 3) {
    return `has the colour #${value.toString(16).padStart(6, "0")} ${where}, which is no class's; add it to colours, or correct the mask`;
  }
  const what =
    spec.kind === "classification"
      ? `the classes are 0 to ${spec.classes.length - 1}`
      : "0 is no, and 1 or 255 (in 16 bits 65535) yes";
  return `has the value ${value} ${where}; ${what}. Correct the mask, or set ignore: ${value} if such pixels have no label`;
}
