/** @file What TensorBoard's own readers find in a log folder. */
import { fileURLToPath } from "node:url";
import { ensurePython, runPython } from "./python.js";

export type { Python } from "./python.js";

interface Point {
  readonly step: number;
  readonly wallTime: number;
}

export interface ScalarPoint extends Point {
  readonly value: number;
}

export interface TensorPoint extends Point {
  /** As numpy names it; `object` for strings. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

export interface ImagePoint extends Point {
  readonly width: number;
  readonly height: number;
  readonly images: readonly { readonly sha256: string; readonly bytes: number }[];
}

/** Series by tag; the data server's tags begin with the run, e.g. `./loss`. */
export interface TensorBoardData {
  readonly scalars: Readonly<Record<string, readonly ScalarPoint[]>>;
  /** All summaries that are neither scalars nor images: histograms, text, PR curves, hyperparameters. */
  readonly tensors: Readonly<Record<string, readonly TensorPoint[]>>;
  readonly images: Readonly<Record<string, readonly ImagePoint[]>>;
}

export interface TensorBoardFolder extends TensorBoardData {
  /** Layouts of the Custom Scalars page. */
  readonly layouts: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, TagMetadata>>;
  readonly graph: readonly TensorBoardNode[] | null;
  /** Status 1 is START. */
  readonly sessionLogs: readonly { readonly status: number; readonly step: number }[];
}

export interface TagMetadata {
  readonly plugin: string;
  readonly description: string;
  /** 1 scalar, 2 tensor, 3 blob sequence. */
  readonly dataClass: number;
  /** The plugin's own message, where the plugin has one. */
  readonly message: unknown;
}

export interface TensorBoardNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A Python that has TensorBoard, or the reason why there is none. */
export const tensorBoardPython = () => ensurePython(["tensorboard"]);

const script = fileURLToPath(new URL("read_tensorboard.py", import.meta.url));

/** What TensorBoard's EventAccumulators read, without any sampling, in one Python process for all `folders`. */
export async function readTensorBoards(python: string, folders: readonly string[]): Promise<TensorBoardFolder[]> {
  const found = await runPython<TensorBoardFolder[]>(python, script, { folders, reader: "accumulator" });
  return found.map((folder) => ({ ...folder, ...withNumbers(folder) }));
}

/** Like `readTensorBoards`, for one folder. */
export async function readTensorBoard(python: string, folder: string): Promise<TensorBoardFolder> {
  const [found] = await readTensorBoards(python, [folder]);
  if (found === undefined) throw new Error("the reader printed nothing");
  return found;
}

/** What the data server reads, which the default TensorBoard shows. */
export async function readDataServer(python: string, folder: string): Promise<TensorBoardData> {
  const [found] = await runPython<TensorBoardData[]>(python, script, { folders: [folder], reader: "data-server" });
  if (found === undefined) throw new Error("the reader printed nothing");
  return withNumbers(found);
}

/** NaN and infinities travel as strings. */
function withNumbers({ scalars, tensors, images }: TensorBoardData): TensorBoardData {
  const revived = Object.entries(scalars).map(([tag, points]) => [
    tag,
    points.map((point) => ({ ...point, value: Number(point.value) })),
  ]);
  return { scalars: Object.fromEntries(revived), tensors, images };
}
