/** @file Cells that are masks → labels over the pixels of all rows. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { resolve } from "node:path";
import { at } from "../../arrays.js";
import { DataError, InterruptedError } from "../../errors.js";
import { type FlowGraph, isPerPixel, pixelsPerSample, type TaskNode } from "../../flow/graph.js";
import { evenOffsets } from "../../flow/masks.js";
import type { ImageInputSpec, InputSpec } from "../dataset.js";
import { type BadCell, badCellsError, type JoinedTables } from "../tables/tables.js";
import type { Table } from "../tables/table.js";
import { columnsOf } from "./labels.js";
import { type MaskPlace, readMask } from "./masks/read-masks.js";
import type { PixelLabels } from "./token-labels.js";

/** As many masks are decoded at a time: libvips has threads of its own. */
const PARALLEL = 4;
/** So many are said to be wrong at most. */
const MOST_BAD = 50;

/**
 * Reads the masks of all tasks per pixel.
 * @returns null where no task is asked per pixel
 * @param options.projectDir absolute; masks may lie in it as well as in the folder of their table
 * @throws DataError where a cell is no mask, or there are more pixels than an index counts; InterruptedError if the
 *   signal fires
 */
export async function readPixelLabels(
  graph: FlowGraph,
  inputs: Readonly<Record<string, InputSpec>>,
  joined: JoinedTables,
  { projectDir, signal }: { readonly projectDir?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<PixelLabels | null> {
  const pixels = pixelsPerSample(graph);
  if (pixels === null) return null;
  assertCountable(joined.rows, pixels);
  const image = Object.values(inputs).find((spec): spec is ImageInputSpec => spec.kind === "image");
  // as pictures do, a mask may lie in the project's folder, too
  const folders = projectDir === undefined ? [] : [projectDir];
  const masks = new Map<number, Float32Array>();
  const bad: BadCell[] = [];
  for (const task of graph.tasks) {
    if (!isPerPixel(task.spec)) continue;
    const all = new Float32Array(joined.rows * pixels).fill(Number.NaN);
    masks.set(task.index, all);
    const columns = columnsOf(task, joined);
    for (const [t, table] of joined.tables.entries()) {
      const [column] = columns[t] ?? [];
      if (column === undefined) continue;
      const into = all.subarray(at(joined.firstRows, t) * pixels);
      bad.push(...(await readTableMasks({ task, column, table, image, folders }, into, signal)));
    }
  }
  if (bad.length > 0) throw badCellsError(joined, bad, "label");
  return { offsets: evenOffsets(joined.rows, pixels), masks };
}

function assertCountable(rows: number, pixels: number): void {
  const most = 2 ** 31 - 1;
  if (rows * pixels <= most) return;
  throw new DataError(
    `${rows} rows of ${pixels} pixels are more than the ${most} pixels that one data set may have labels for. Take fewer rows, or a smaller size of the image input.`,
    { rows, pixels },
  );
}

/** Where the masks of one task stand. */
interface MaskColumn extends Required<Pick<MaskPlace, "folders">> {
  readonly task: TaskNode;
  readonly column: string;
  readonly table: Table;
  readonly image: ImageInputSpec | undefined;
}

/** @param into receives [pixels of the table's rows] */
async function readTableMasks(
  { task, column, table, image, folders }: MaskColumn,
  into: Float32Array,
  signal: AbortSignal | undefined,
): Promise<BadCell[]> {
  const { spec } = task;
  if (!isPerPixel(spec)) return [];
  const { size } = spec;
  const pixels = size[0] * size[1];
  const cells = table.columns.get(column) ?? [];
  const pictures = table.columns.get(image?.column ?? "") ?? [];
  const bad: BadCell[] = [];
  const read = async (row: number): Promise<void> => {
    const cell = cells.at(row);
    const picture = pictures.at(row);
    const place: MaskPlace = {
      ...{ baseDir: table.baseDir, folders, size },
      ...(image?.framing === undefined ? {} : { framing: image.framing }),
      picture: typeof picture === "string" && picture !== "" ? resolve(table.baseDir, picture) : null,
    };
    const mask = await readMask(spec, cell, place);
    if (typeof mask !== "string") into.set(mask, row * pixels);
    else bad.push({ reader: { kind: "task", name: task.path }, column, table, row, cell, reason: mask });
  };
  for (let row = 0; row < table.rows && bad.length < MOST_BAD; row += PARALLEL) {
    if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
    await Promise.all(Array.from({ length: Math.min(PARALLEL, table.rows - row) }, (_, i) => read(row + i)));
    await eventLoop();
  }
  return bad.sort((a, b) => a.row - b.row);
}
