/** @file `cool explain --receptive-field`: which pixels (or tokens) a task's answer depends on, as numbers and as a picture. */
import { writeFileSync } from "node:fs";
import { parse } from "node:path";
import { at } from "../arrays.js";
import type { ScoredSplit } from "../analysis/score.js";
import { type ImageInputSpec, type InputSource, isPixelSource } from "../data/dataset.js";
import type { Network } from "../engine/model/network.js";
import { ConfigError, DataError, UsageError } from "../errors.js";
import type { TaskNode } from "../flow/graph.js";
import { drawReceptiveField, type PixelField, reachableFraction } from "../logging/panels/pixel-field-panel.js";
import { type NamedTable, refuseInputs } from "../data/tables/read-files.js";
import { behaviourOf } from "../tasks/index.js";
import { largestLogit } from "./asked-answer.js";
import { drawTokens, type TokenField } from "./token-field-run.js";

export { drawReceptiveField };

/** What one answer about one image looks at. Pixels are those that the network sees, row by row. */
export interface ReceptiveField extends PixelField {
  readonly input: string;
}

/**
 * @param sources opened inputs; their first row is asked about, and the first input with pixels
 * @param scored the same inputs
 * @throws ConfigError where the run reads no image
 */
export async function receptiveFieldOf(
  network: Network,
  sources: Readonly<Record<string, InputSource>>,
  input: string,
  task: TaskNode,
  scored: ScoredSplit,
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
  const largest = largestLogit(at(scored.tasks, task.index), 0);
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
  /** Tables that it was trained on. */
  readonly tables: readonly NamedTable[];
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
  if (out !== undefined) await refuseInputs(out, inputs, run.tables);
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

/** @throws DataError where the file cannot be written */
export function writeDrawing(file: string, png: Uint8Array): void {
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
