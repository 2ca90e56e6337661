/** @file `cool explain --receptive-field`: which pixels (or tokens) a task's answer depends on, as numbers and as a picture. */
import { writeFileSync } from "node:fs";
import { parse } from "node:path";
import { at, f32At, u8At } from "../arrays.js";
import { type ImageInputSpec, type InputSource, isPixelSource } from "../data/dataset.js";
import type { Network } from "../engine/model/network.js";
import { ConfigError, DataError, UnknownNameError, UsageError } from "../errors.js";
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import { heatColour, UNREACHABLE } from "../logging/panels/heat.js";
import { textElement } from "../logging/panels/svg.js";
import { fitEnd, fitStart } from "../logging/panels/text.js";
import { behaviourOf } from "../tasks/index.js";
import { drawTokens, type TokenField } from "./token-field-run.js";

/** What one answer about one image looks at. Pixels are those that the network sees, row by row. */
export interface ReceptiveField {
  readonly input: string;
  readonly task: string;
  /** The class or label asked about: the one with the largest logit; null where the task has a single logit. */
  readonly logit: string | null;
  readonly height: number;
  readonly width: number;
  /** |∂logit/∂pixel| relative to the largest, in [0, 1]; [height × width]. */
  readonly influence: Float32Array;
  /** 1 where a change of the pixel can change the answer; [height × width]. */
  readonly reachable: Uint8Array;
  /** The image, [height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array;
  readonly channels: 1 | 3;
}

/** @throws UnknownNameError; ConfigError for a task that the network does not answer */
export function askedTask(graph: FlowGraph, path: string): TaskNode {
  const task = graph.tasks.find((node) => node.path === path);
  const asked = graph.tasks.filter(({ feature }) => feature !== null).map((node) => node.path);
  if (task === undefined) throw new UnknownNameError("task", path, asked, "the run's flow", { exitCode: 2 });
  if (task.feature !== null) return task;
  throw new ConfigError(`The task "${path}" is known: its answer comes with the input, not from its pixels.`, {
    task: path,
  });
}

/**
 * @param sources opened inputs; their first row is asked about, and the first input with pixels
 * @param logits of that row, per task
 */
export async function receptiveFieldOf(
  network: Network,
  sources: Readonly<Record<string, InputSource>>,
  input: string,
  task: TaskNode,
  logits: Float32Array,
): Promise<ReceptiveField> {
  const [image, source] = Object.entries(sources).find(([, each]) => isPixelSource(each)) ?? [];
  if (image === undefined || source === undefined) {
    throw new ConfigError("A receptive field of pixels needs an image input, but the run has none.", {
      task: task.path,
    });
  }
  const [{ pixelInfluence }, { readInputs }] = await Promise.all([
    import("../engine/inference/receptive-field.js"),
    import("../engine/batches/batch-reader.js"),
  ]);
  const inputs = readInputs(network, { inputs: sources }, [0]);
  const largest = logits.reduce((best, logit, i) => (logit > f32At(logits, best) ? i : best), 0);
  const { size, channels } = source.spec as ImageInputSpec;
  return {
    input,
    task: task.path,
    logit: behaviourOf(task.spec).logitNames(task.spec)?.[largest] ?? null,
    height: size[0],
    width: size[1],
    ...(await pixelInfluence(network, inputs, image, task, largest)),
    pixels: inputs[image] as Uint8Array,
    channels,
  };
}

/** Fraction of the image, or of the tokens, that can change the answer. */
export function reachableFraction({ reachable }: Pick<ReceptiveField, "reachable">): number {
  return reachable.reduce((sum, pixel) => sum + pixel, 0) / reachable.length;
}

/** A drawing on disk. */
export interface WrittenField extends Pick<ReceptiveField, "input" | "task"> {
  readonly file: string;
  /** Fraction of the image's pixels, or of the row's tokens, that can change the answer. */
  readonly reachable: number;
  /** Of an image: the class or label asked about. */
  readonly logit?: string | null;
  /** Of tokens: what they are, and how much each of them moves each answer. */
  readonly tokens?: readonly string[];
  readonly answers?: readonly {
    readonly position: number | null;
    readonly logit: string | null;
    readonly influence: readonly number[];
  }[];
}

/** What can be asked which pixels or tokens an answer depends on. */
interface Explained {
  fieldOf(input: string, task: string): Promise<ReceptiveField | TokenField>;
}

/**
 * Draws the receptive field of one task on each image, or on the first row of a table.
 * @param out file of the drawing, for one input; default `<input>.<task>.png` in the working directory
 * @throws UsageError, UnknownNameError; DataError where the file cannot be written
 */
export async function writeReceptiveFields(
  run: Explained,
  inputs: readonly string[],
  task: string,
  out: string | undefined,
): Promise<WrittenField[]> {
  if (out !== undefined && inputs.length > 1) {
    throw new UsageError(`--out names one file, but there are ${inputs.length} images. Leave it out.`, { out });
  }
  const written: WrittenField[] = [];
  for (const input of inputs) {
    const field = await run.fieldOf(input, task);
    // a query has no name of its own
    const file = out ?? `${/\s/.test(input) ? "query" : parse(input).name}.${task}.png`;
    writeDrawing(file, await ("pixels" in field ? drawReceptiveField(field) : drawTokens(field)));
    written.push({ ...describeField(field), task, file });
  }
  return written;
}

function describeField(field: ReceptiveField | TokenField): Omit<WrittenField, "task" | "file"> {
  if ("pixels" in field) return { input: field.input, logit: field.logit, reachable: reachableFraction(field) };
  const { input, tokens, answers } = field;
  const reached = answers.map((answer) => reachableFraction(answer));
  return {
    input,
    reachable: reached.reduce((sum, fraction) => sum + fraction, 0) / reached.length,
    tokens,
    answers: answers.map(({ position, logit, influence }) => ({ position, logit, influence: [...influence] })),
  };
}

function writeDrawing(file: string, png: Uint8Array): void {
  try {
    writeFileSync(file, png);
  } catch (error) {
    throw new DataError(
      `The drawing ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}. Name another file with --out.`,
      { file },
      { cause: error },
    );
  }
}

const PANEL = 384;
const GAP = 16;
const CAPTION = 44;
const TITLE = { size: 14, weight: 600 } as const;
const NOTE = { size: 12, weight: 400 } as const;

/**
 * The image, beside it the image under its heat, and, where not every pixel can change the answer, the mask of those
 * that can. Heat grows with the square root of the influence, or only the few strongest pixels would be seen.
 * @returns PNG
 */
export async function drawReceptiveField(field: ReceptiveField): Promise<Buffer> {
  const { loadSharp, svgDocument } = await import("../logging/panels/svg.js");
  const { default: open } = await loadSharp();
  const factor = Math.max(1, Math.floor(PANEL / Math.max(field.height, field.width)));
  const [width, height] = [field.width * factor, field.height * factor];
  const panels = panelsOf(field);
  const raw = { width: field.width, height: field.height, channels: 3 } as const;
  const pictures = panels.map(({ pixels }) =>
    open(pixels, { raw }).resize(width, height, { kernel: "nearest", fit: "fill" }).png().toBuffer(),
  );
  const total = { width: GAP + panels.length * (width + GAP), height: height + CAPTION + GAP };
  const texts = panels.flatMap(({ title, note }, i) => {
    const left = GAP + i * (width + GAP);
    return [
      textElement(fitStart(title, width, TITLE), left, 20, TITLE),
      textElement(fitEnd(note, width, NOTE), left, 37, NOTE),
    ];
  });
  const layers = (await Promise.all(pictures)).map((picture, i) => ({
    input: picture,
    left: GAP + i * (width + GAP),
    top: CAPTION,
  }));
  const canvas = open({ create: { ...total, channels: 3, background: "#ffffff" } });
  return canvas
    .composite([...layers, { input: svgDocument(total.width, total.height, texts), left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}

interface Panel {
  readonly title: string;
  readonly note: string;
  /** [height, width, 3] */
  readonly pixels: Uint8Array;
}

function panelsOf(field: ReceptiveField): Panel[] {
  const { task, logit, height, width, influence, reachable } = field;
  const share = reachableFraction(field);
  // grey and dark, so that all colour is heat
  const dimmed = (pixel: number): number => 0.4 * grey(field, pixel);
  const answer = logit === null ? task : `${task}: ${logit}`;
  const drawn = (colour: (pixel: number, channel: number) => number): Uint8Array =>
    Uint8Array.from({ length: height * width * 3 }, (_, i) => Math.round(colour(Math.floor(i / 3), i % 3)));
  const panels: Panel[] = [
    {
      title: "input",
      note: `${width} × ${height}`,
      pixels: drawn((pixel, channel) => colourOf(field, pixel, channel)),
    },
    {
      title: answer,
      note: "what moves the logit: |gradient|",
      pixels: drawn((pixel, channel) => {
        const heat = Math.sqrt(f32At(influence, pixel));
        return (1 - heat) * dimmed(pixel) + heat * at(heatColour(heat), channel);
      }),
    },
  ];
  if (share === 1) return panels;
  const percent = share > 0.99 ? ">99" : String(Math.round(100 * share));
  const mask = drawn((pixel, channel) =>
    reachable[pixel] === 1 ? colourOf(field, pixel, channel) : at(UNREACHABLE, channel),
  );
  return [...panels, { title: "receptive field", note: `${percent} % of the pixels can change it`, pixels: mask }];
}

function colourOf({ pixels, channels }: ReceptiveField, pixel: number, channel: number): number {
  return u8At(pixels, channels === 3 ? pixel * 3 + channel : pixel);
}

/** Luma of ITU-R BT.601. */
function grey(field: ReceptiveField, pixel: number): number {
  return 0.299 * colourOf(field, pixel, 0) + 0.587 * colourOf(field, pixel, 1) + 0.114 * colourOf(field, pixel, 2);
}
