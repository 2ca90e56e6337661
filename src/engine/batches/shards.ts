/** @file A batch in shards of near-equal size, for replicas or one after the other, and their outputs put together again. */
import { at as itemAt } from "../../arrays.js";
import type { RowMask } from "../../flow/masks.js";
import type { Labels } from "../../tasks/index.js";
import { joinArrays, joinEach } from "./arrays.js";
import type { BatchTargets } from "./targets.js";
import { type HeadLayout, type LogitValues, matricesOf } from "../model/layout.js";
import type { InputBatch } from "../model/input-batch.js";
import type { BatchOutputs } from "./outputs.js";

/** Where the rows of a shard lie in their batch. */
export interface ShardPlace {
  /** Rows of the batch before the shard's. */
  readonly before: number;
  /** Rows that count; 0: the shard is one row that stands in for none. */
  readonly rows: number;
}

export interface Shard {
  readonly place: ShardPlace;
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
}

/** Bounds of each shard: the first ones are longer by a row where the rows do not divide. */
export function shardPlaces(rows: number, replicas: number): ShardPlace[] {
  const [least, more] = [Math.floor(rows / replicas), rows % replicas];
  return Array.from({ length: replicas }, (_, rank) => ({
    before: rank * least + Math.min(rank, more),
    rows: least + (rank < more ? 1 : 0),
  }));
}

/**
 * The rows of a batch that lie at a place, copied. A shard without rows is one row that no mask counts: layers need
 * something to pass, and replicas meet in batch normalization.
 */
export function shardOf(layout: HeadLayout, inputs: InputBatch, targets: BatchTargets, place: ShardPlace): Shard {
  const { rows: total, length = 0, masked } = targets;
  const isEmpty = place.rows === 0;
  const [from, to] = isEmpty ? [0, 1] : [place.before, place.before + place.rows];
  const matrices = matricesOf(layout, targets);
  const hidden = isEmpty ? ([0, 0] as const) : maskedBetween(masked, from * length, to * length);
  const ranges = {
    sample: [from, to],
    token: [from * length, to * length],
    masked: hidden,
  } as const;
  const cut = <A extends Float32Array | Uint8Array>(all: A, task: number): A => {
    const { axis } = itemAt(layout.columns, task);
    const { rows } = matrices[axis];
    const width = rows === 0 ? 0 : all.length / rows;
    return all.slice(ranges[axis][0] * width, ranges[axis][1] * width) as A;
  };
  const told = ({ labels, masks, weights }: Pick<BatchTargets, "labels" | "masks" | "weights">) => ({
    labels: labels.map(
      ({ answers, unitScale }, task): Labels => ({
        answers: cut(answers, task),
        unitScale: unitScale === null ? null : cut(unitScale, task),
      }),
    ),
    masks: masks.map((mask, task): RowMask => {
      const own = cut(mask, task);
      return isEmpty ? own.fill(0) : own;
    }),
    ...(weights === undefined ? {} : { weights: weights.slice(from, to) }),
  });
  const { mixed } = targets;
  const own = {
    ...{ rows: to - from, length, ...told(targets) },
    ...(mixed === undefined ? {} : { mixed: { share: mixed.share, ...told(mixed) } }),
  };
  return {
    place,
    inputs: cutInputs(inputs, total, from, to),
    targets:
      masked === undefined
        ? own
        : { ...own, masked: masked.slice(hidden[0], hidden[1]).map((at) => at - from * length) },
  };
}

/**
 * A batch in parts that are computed one after the other; fewer of them where it has fewer rows.
 * @param parts at most
 */
export function partsOfBatch(
  layout: HeadLayout,
  inputs: InputBatch,
  targets: BatchTargets,
  parts: number,
): readonly Shard[] {
  const places = shardPlaces(targets.rows, Math.min(parts, targets.rows));
  return places.map((place) => shardOf(layout, inputs, targets, place));
}

/** Seed of the dropout and noise in one part of a step. */
export function seedOfPart(seed: string, part: number): string {
  return part === 0 ? seed : `${seed}/part/${part}`;
}

/** Logits of a batch from those of its parts. */
export function joinLogits(parts: readonly LogitValues[]): LogitValues {
  const join = (axis: keyof LogitValues) => joinArrays(parts.map((part) => part[axis]));
  return { sample: join("sample"), token: join("token"), masked: join("masked") };
}

/** Some rows of inputs, copied. */
export function cutInputs(inputs: InputBatch, total: number, from: number, to: number): InputBatch {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => {
      const width = values.length / total;
      return [name, values.slice(from * width, to * width)];
    }),
  );
}

/** Which masked tokens, which are in ascending order, lie between two indices. */
function maskedBetween(masked: Int32Array | undefined, from: number, to: number): readonly [number, number] {
  if (masked === undefined) return [0, 0];
  const first = masked.findIndex((at) => at >= from);
  const end = masked.findIndex((at) => at >= to);
  return [first < 0 ? masked.length : first, end < 0 ? masked.length : end];
}

/** Outputs of a batch from those of its shards. */
export function joinOutputs(shards: readonly BatchOutputs[]): BatchOutputs {
  return {
    sample: joinArrays(shards.map(({ sample }) => sample)),
    tokens: joinEach(shards.map(({ tokens }) => tokens)),
    hits: shards.reduce((sum, { hits }) => sum + hits, 0),
  };
}
