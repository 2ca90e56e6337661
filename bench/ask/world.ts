/** @file Pictures of the example in memory, with all labels: what a simulation asks about, one cell at a time. */
import { drawSample, LABEL_COLUMNS, type Sample, seededIntegers, SIZE } from "../../examples/home-security/generate.js";
import { at, u8At } from "../../src/arrays.js";
import type { ImageInputSpec } from "../../src/data/dataset.js";
import { selectLabels } from "../../src/data/labels/select-labels.js";
import type { SymbolicTensor, TrunkFunction } from "../../src/engine/model/network.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { activeRows, answerWidth, bothMasks, labelledRows, type RowMask } from "../../src/flow/masks.js";
import { loadProject } from "../../src/project/load-project.js";
import { behaviourOf, type Labels } from "../../src/tasks/index.js";
import path from "node:path";
import { ROOT } from "../report.js";

/** Side of the pictures that the network sees: each pixel is the mean of four of the example's. */
const SIDE = SIZE / 2;
const VALUES = SIDE * SIDE * 3;

export const IMAGE: ImageInputSpec = { kind: "image", column: "img", size: [SIDE, SIDE], channels: 3 };

/** Three convolutions and a dense layer for each feature of the example: a training takes seconds. */
export const trunk: TrunkFunction = ({ image }, layers) => {
  const conv = (input: SymbolicTensor, filters: number) =>
    layers
      .conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "relu" })
      .apply(input) as SymbolicTensor;
  const common = layers.flatten().apply([12, 24, 24].reduce(conv, image as SymbolicTensor)) as SymbolicTensor;
  const dense = () => layers.dense({ units: 48, activation: "relu" }).apply(common) as SymbolicTensor;
  return { features: dense(), face_localization: dense(), body_localization: dense() };
};

/** Rows that can be asked about, then those of valid, then those of test. */
export interface World {
  readonly graph: FlowGraph;
  readonly pool: number;
  readonly valid: number;
  readonly test: number;
  /** Truth of each task, over all rows; NaN where there is none. */
  readonly labels: readonly Labels[];
  /** Whether a cell has a label to give, per task: the form asks for nothing else, and the example has holes. */
  readonly there: readonly RowMask[];
  readonly read: (rows: ArrayLike<number>) => Uint8Array;
}

export interface WorldSize {
  readonly pool: number;
  readonly valid: number;
  readonly test: number;
  readonly seed: number;
}

export async function makeWorld({ seed, ...size }: WorldSize): Promise<World> {
  const { graph } = await loadProject(path.join(ROOT, "examples", "home-security"));
  const random = seededIntegers(seed);
  const rows = size.pool + size.valid + size.test;
  const pixels = new Uint8Array(rows * VALUES);
  const samples: Sample[] = [];
  for (let row = 0; row < rows; row++) {
    const sample = drawSample(random);
    pixels.set(halved(sample.pixels), row * VALUES);
    samples.push(sample);
  }
  const labels = graph.tasks.map(({ spec, name }): Labels => {
    const answers = new Float32Array(rows * answerWidth(spec)).fill(Number.NaN);
    const column = LABEL_COLUMNS.find((one) => one === name);
    samples.forEach(({ labels: cells }, row) => {
      const cell = column === undefined ? undefined : cells[column];
      if (cell === undefined) return;
      const problem = behaviourOf(spec).parseLabel(spec, [String(cell)], [], answers, row * answerWidth(spec));
      if (problem !== null) throw new Error(`${name} of picture ${row}: ${problem}`);
    });
    return { answers, unitScale: null };
  });
  return {
    ...{ graph, labels, ...size },
    there: graph.tasks.map(({ spec, index }) => labelledRows(spec, at(labels, index).answers)),
    read: (wanted) => {
      const out = new Uint8Array(wanted.length * VALUES);
      for (let i = 0; i < wanted.length; i++) {
        out.set(pixels.subarray(at(wanted, i) * VALUES, (at(wanted, i) + 1) * VALUES), i * VALUES);
      }
      return out;
    },
  };
}

function halved(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(VALUES);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      for (let c = 0; c < 3; c++) {
        const pixel = (dy: number, dx: number) => u8At(pixels, ((2 * y + dy) * SIZE + 2 * x + dx) * 3 + c);
        out[(y * SIDE + x) * 3 + c] = Math.round((pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1)) / 4);
      }
    }
  }
  return out;
}

/** Cells of the pool that have been labelled, per task. */
export type Labelled = readonly Uint8Array[];

export function nothingLabelled({ graph, pool }: World): Labelled {
  return graph.tasks.map(() => new Uint8Array(pool));
}

export function cellsIn(labelled: Labelled): number {
  return labelled.reduce((sum, mask) => mask.reduce((a, b) => a + b, sum), 0);
}

/** The labels of the pool's rows that are known, and which count in training. */
export function knownLabels(
  { graph, labels, pool }: World,
  labelled: Labelled,
): { labels: Labels[]; masks: RowMask[] } {
  const rows = Int32Array.from({ length: pool }, (_, row) => row);
  const known = graph.tasks.map(({ spec, index }): Labels => {
    const { answers } = selectLabels(spec, at(labels, index), rows);
    const width = answerWidth(spec);
    for (let row = 0; row < pool; row++) {
      if (u8At(at(labelled, index), row) === 0) answers.fill(Number.NaN, row * width, (row + 1) * width);
    }
    return { answers, unitScale: null };
  });
  const active = activeRows(
    graph,
    known.map(({ answers }) => answers),
    pool,
  );
  const masks = graph.tasks.map(({ spec, index }) =>
    bothMasks(at(active, index), labelledRows(spec, at(known, index).answers)),
  );
  return { labels: known, masks };
}
