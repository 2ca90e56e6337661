/** @file `cool explain --why`: where in an image each answer comes from, as one sheet. */
import { writeFileSync } from "node:fs";
import { parse } from "node:path";
import { at, f32At } from "../../arrays.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { type ImageInputSpec, type InputSource, isPixelSource } from "../../data/dataset.js";
import type { Network } from "../../engine/model/network.js";
import { ConfigError, DataError } from "../../errors.js";
import { axisOf, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { type Figure, figuresOf } from "../../logging/panels/figures.js";
import { drawWhy, type WhyMap, type WhyPicture } from "../../logging/panels/why-panel.js";
import { behaviourOf, type Described, isMeasure } from "../../tasks/index.js";
import { largestLogit } from "../asked-answer.js";

export type { WhyPicture } from "../../logging/panels/why-panel.js";

/** Of the noise of SmoothGrad. */
const SEED = 7;

/**
 * A map for every task that is asked of the first row: Grad-CAM of decisions, SmoothGrad of numbers, and of decisions
 * where the trunk has no map to read.
 * @param sources opened inputs, of which the first with pixels is looked at
 * @param scored the same inputs
 * @throws ConfigError where the run reads no image
 */
export async function whyOf(
  network: Network,
  sources: Readonly<Record<string, InputSource>>,
  scored: ScoredSplit,
): Promise<WhyPicture> {
  const [image, source] = Object.entries(sources).find(([, each]) => isPixelSource(each)) ?? [];
  if (image === undefined || source === undefined) {
    throw new ConfigError("--why draws on an image, but the run has no image input.", {});
  }
  const [{ gradCam, smoothGrad }, { readInputs }] = await Promise.all([
    import("../../engine/inference/why.js"),
    import("../../engine/batches/batch-reader.js"),
  ]);
  const inputs = readInputs(network, { inputs: sources }, [0]);
  const { size, channels } = source.spec as ImageInputSpec;
  const { graph } = network;
  const maps = graph.tasks
    .filter((task) => isShown(task, scored))
    .map((task): WhyMap => {
      const own = at(scored.tasks, task.index);
      const { describe, judgement, questions } = behaviourOf(task.spec);
      const isNo = questions(task.spec).length === 1 && f32At(own.decoded, 0) < 0.5;
      const asked = { task, logit: largestLogit(own, 0), sign: isNo ? -1 : 1 } as const;
      const found =
        (judgement?.isDecision === true ? gradCam(network, inputs, asked, size) : null) ??
        smoothGrad(network, inputs, image, asked, SEED);
      return {
        task: task.path,
        answer: inWords(describe(task.spec, own.decoded, 0)),
        ...found,
        figures: predictedFigures(graph, scored, task),
      };
    });
  return { height: size[0], width: size[1], pixels: inputs[image] as Uint8Array, channels, maps };
}

/** In few digits. */
function inWords(answer: Described): string {
  const short = (value: unknown): string =>
    typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value ?? "unknown");
  return typeof answer === "object" && answer !== null ? answer.map(short).join(", ") || "none" : short(answer);
}

/** Whether the network answers a task of the whole row. */
function isShown({ feature, spec, index }: TaskNode, scored: ScoredSplit): boolean {
  return feature !== null && axisOf(spec) === "sample" && at(scored.tasks, index).activePredicted[0] === 1;
}

function predictedFigures(graph: FlowGraph, scored: ScoredSplit, task: TaskNode): Figure[] {
  if (!isMeasure(task) && behaviourOf(task.spec).figure === null) return [];
  // what is asked by the network's own answers, for nobody has labelled the input
  const asked = { ...scored, tasks: scored.tasks.map((own) => ({ ...own, activeTruth: own.activePredicted })) };
  return figuresOf(graph, asked, task.path)(0).filter(({ source }) => source === "prediction");
}

/** A sheet on disk. */
export interface WrittenWhy {
  readonly input: string;
  readonly file: string;
  readonly tasks: readonly { readonly task_path: string; readonly method: string }[];
}

/**
 * Draws a sheet for each image, or for the first row of a table, as `<input>.why.png` in the working folder.
 * @throws DataError where a file cannot be written
 */
export async function writeWhy(
  run: { why(input: string): Promise<WhyPicture> },
  inputs: readonly string[],
): Promise<WrittenWhy[]> {
  const written: WrittenWhy[] = [];
  for (const input of inputs) {
    const picture = await run.why(input);
    const file = `${/\s/.test(input) ? "query" : parse(input).name}.why.png`;
    try {
      writeFileSync(file, await drawWhy(picture));
    } catch (error) {
      throw new DataError(
        `The drawing ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}. Run the command in a folder that can be written to.`,
        { file },
        { cause: error },
      );
    }
    written.push({ input, file, tasks: picture.maps.map(({ task, method }) => ({ task_path: task, method })) });
  }
  return written;
}
