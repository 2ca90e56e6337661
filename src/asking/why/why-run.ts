/** @file `cool explain --why`: where in an image each answer comes from, as one sheet. */
import { writeFileSync } from "node:fs";
import { parse } from "node:path";
import { at, f32At } from "../../arrays.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { type InputSource, isPixelSource, type PixelSource } from "../../data/dataset.js";
import type { Network } from "../../engine/model/network.js";
import { ConfigError, DataError } from "../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { type Figure, figuresOf } from "../../logging/panels/figures.js";
import { drawWhy, type WhyMap, type WhyPicture } from "../../logging/panels/why-panel.js";
import { behaviourOf, type Described, isMeasure } from "../../tasks/index.js";
import { largestLogit } from "../asked-answer.js";
import type { PredictOptions } from "../open-inputs.js";
import type { StoredRun } from "../stored-run.js";
import { occludedInputs } from "./occluded-inputs.js";
import { occlusionMap, patchesOf } from "./occlusion.js";

export type { WhyPicture } from "../../logging/panels/why-panel.js";

/** Of the noise of SmoothGrad. */
const SEED = 7;

/** How much each pixel speaks for one answer, and how that was found. */
type Found = Pick<WhyMap, "method" | "influence">;

type Sources = Readonly<Record<string, InputSource>>;

/**
 * A map for every task that is asked of the first row: Grad-CAM of decisions, SmoothGrad of numbers, and of decisions
 * where the trunk has no map to read.
 * @param sources opened inputs, of which the first with pixels is looked at
 * @param scored the same inputs
 * @throws ConfigError where the run reads no image
 */
export async function whyOf(network: Network, sources: Sources, scored: ScoredSplit): Promise<WhyPicture> {
  const { image, source } = pictureOf(sources);
  const [{ gradCam, smoothGrad }, { readInputs }] = await Promise.all([
    import("../../engine/inference/why.js"),
    import("../../engine/batches/batch-reader.js"),
  ]);
  const inputs = readInputs(network, { inputs: sources }, [0]);
  const { size } = source.spec;
  return mapsOf(network.graph, source, scored, (asked): Found => {
    const found = isDecision(asked.task) ? gradCam(network, inputs, asked, size) : null;
    return found ?? smoothGrad(network, inputs, image, asked, SEED);
  });
}

/**
 * The same where the pixels go through a model beside the network, of which no gradient is known: by occlusion. Of a
 * decision counts what speaks for it, of a number, and where nothing does, whatever moves it.
 * @param answers to rows of sources, per task of the graph, as the engine keeps them
 */
export async function occludedWhy(
  stored: StoredRun,
  sources: Sources,
  scored: ScoredSplit,
  answers: (sources: Sources, rows: Int32Array) => Promise<readonly Float32Array[]>,
  options: Pick<PredictOptions, "signal" | "onProgress">,
): Promise<WhyPicture> {
  const { image, source } = pictureOf(sources);
  const { size } = source.spec;
  const patches = patchesOf(size);
  const inputs = await occludedInputs(stored, sources, image, patches, options);
  const rows = Int32Array.from({ length: 1 + patches.length }, (_, row) => row);
  const outputs = await answers(inputs, rows);
  return mapsOf(stored.graph, source, scored, ({ task, logit, sign }): Found => {
    const width = behaviourOf(task.spec).logitWidth(task.spec);
    const logitOf = (row: number): number => f32At(at(outputs, task.index), row * width + logit);
    const losses = patches.map((_, i) => sign * (logitOf(0) - logitOf(1 + i)));
    const speaking = isDecision(task) && losses.some((loss) => loss > 0) ? losses : losses.map(Math.abs);
    return { method: "occlusion", influence: occlusionMap(speaking, patches, size) };
  });
}

const isDecision = ({ spec }: TaskNode): boolean => behaviourOf(spec).judgement?.isDecision === true;

function pictureOf(sources: Sources): { readonly image: string; readonly source: PixelSource } {
  for (const [image, source] of Object.entries(sources)) if (isPixelSource(source)) return { image, source };
  throw new ConfigError(
    "--why draws on an image, but the run has no image input. What its columns are worth is told by: cool interpret RUN --importance",
    {},
  );
}

/** What is asked about one answer. */
interface Asked {
  readonly task: TaskNode;
  /** Index among the task's logits. */
  readonly logit: number;
  /** −1: why the logit is as low as it is. */
  readonly sign: 1 | -1;
}

function mapsOf(graph: FlowGraph, source: PixelSource, scored: ScoredSplit, find: (asked: Asked) => Found): WhyPicture {
  const { size, channels } = source.spec;
  const maps = graph.tasks
    .filter((task) => isShown(task, scored))
    .map((task): WhyMap => {
      const own = at(scored.tasks, task.index);
      const { describe, questions } = behaviourOf(task.spec);
      const isNo = questions(task.spec).length === 1 && f32At(own.decoded, 0) < 0.5;
      return {
        task: task.path,
        answer: inWords(describe(task.spec, own.decoded, 0)),
        ...find({ task, logit: largestLogit(own, 0), sign: isNo ? -1 : 1 }),
        figures: predictedFigures(graph, scored, task),
      };
    });
  return { height: size[0], width: size[1], pixels: source.read([0]), channels, maps };
}

/** In few digits. */
function inWords(answer: Described): string {
  const short = (value: unknown): string =>
    typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value ?? "unknown");
  return typeof answer === "object" && answer !== null ? answer.map(short).join(", ") || "none" : short(answer);
}

/** Whether the network answers a task of the whole row. */
function isShown({ feature, spec, index }: TaskNode, scored: ScoredSplit): boolean {
  return feature !== null && !isPerElement(spec) && at(scored.tasks, index).activePredicted[0] === 1;
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
  run: { why(input: string, options?: PredictOptions): Promise<WhyPicture> },
  inputs: readonly string[],
  options: Pick<PredictOptions, "signal" | "onProgress"> = {},
): Promise<WrittenWhy[]> {
  const written: WrittenWhy[] = [];
  for (const input of inputs) {
    const picture = await run.why(input, options);
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
