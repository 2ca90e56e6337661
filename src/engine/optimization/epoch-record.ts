/** @file What an epoch has seen: logits, labels, masked tokens and gradients, also of the part before an interruption. */
import type { Labels } from "../../tasks/index.js";
import { joinEach } from "../batches/arrays.js";
import { joinLabels } from "../batches/augment.js";
import { MaskedCounter, type MaskedTally, maskedTask } from "../batches/mask-tokens.js";
import type { BatchOutputs } from "../batches/outputs.js";
import type { BatchTargets } from "../batches/targets.js";
import type { Network } from "../model/network.js";
import type { EpochSoFar } from "../model/training-state.js";
import { type ConflictCounts, countConflicts, type TaskPair } from "./conflicts.js";
import type { BatchLoss } from "./losses.js";

/** An epoch, or all of it that is done: also what was done before an interruption. */
export interface EpochReport {
  /** True where the signal ended the epoch early. */
  readonly interrupted: boolean;
  /** Rows in the order in which they were trained on. */
  readonly rows: Int32Array;
  /** Logits at the time of each row's step, [rows.length, layout.width]. */
  readonly logits: Float32Array;
  /**
   * Of each task per token, in the order of the graph, [tokens of these rows, width of its answers] at the time of
   * each row's step.
   */
  readonly tokenOutputs: readonly Float32Array[];
  /** How well masked tokens were guessed; null where none were masked. */
  readonly masked: MaskedTally | null;
  /**
   * Labels of these rows as they were moved with their pictures, null for tasks per token; null where nothing was
   * augmented.
   */
  readonly movedLabels: readonly (Labels | null)[] | null;
  readonly meanGradientNorm: number;
  /** How often tasks' gradients were in conflict; empty where they are added as they are. */
  readonly conflicts: ConflictCounts;
}

export interface EpochRecordOptions {
  /** Rows that the epoch had trained on when it was interrupted. */
  readonly resumedAt: number;
  /** What was kept of them; null where nothing was. */
  readonly before: EpochSoFar | null;
  readonly batchSize: number;
  readonly augments: boolean;
  readonly masks: boolean;
}

/** Grows by one batch after the other. */
export class EpochRecord {
  /** The first row of the epoch's order that the report is about. */
  readonly first: number;
  readonly #network: Network;
  readonly #order: Int32Array;
  readonly #batchSize: number;
  /** Logits of tokens are not kept with a checkpoint: where there are any, a report is about the rest of the epoch. */
  readonly #keeps: boolean;
  readonly #logits: Float32Array;
  readonly #tokens: (readonly Float32Array[])[] = [];
  readonly #moved: BatchTargets[] | null;
  readonly #guessed: ReturnType<typeof maskedTask>;
  readonly #counter: MaskedCounter | null;
  #gradientNormSum: number;
  #conflicts: ConflictCounts;
  #done: number;

  /** @param order rows of the whole epoch */
  constructor(network: Network, order: Int32Array, options: EpochRecordOptions) {
    const { width, tokenWidth, maskedWidth } = network.layout;
    this.#network = network;
    this.#order = order;
    this.#batchSize = options.batchSize;
    this.#keeps = tokenWidth + maskedWidth === 0;
    const before = this.#keeps ? options.before : null;
    this.first = before === null ? options.resumedAt : 0;
    this.#done = options.resumedAt;
    this.#logits = new Float32Array((order.length - this.first) * width);
    this.#logits.set(before?.logits ?? []);
    this.#gradientNormSum = before?.gradientNormSum ?? 0;
    this.#conflicts = before?.conflicts ?? {};
    this.#moved = options.augments ? [] : null;
    this.#guessed = options.masks ? maskedTask(network.graph) : null;
    this.#counter = this.#guessed === null ? null : new MaskedCounter(this.#guessed);
  }

  /** Rows of the order that are done. */
  get done(): number {
    return this.#done;
  }

  get isComplete(): boolean {
    return this.#done >= this.#order.length;
  }

  /** Where the logits of the next batch belong. */
  get room(): Float32Array {
    return this.#logits.subarray((this.#done - this.first) * this.#network.layout.width);
  }

  /** What a checkpoint keeps; null where the beginning of the epoch is not known. */
  get soFar(): EpochSoFar | null {
    if (!this.#keeps || this.first > 0) return null;
    const kept = { logits: this.#seen(), gradientNormSum: this.#gradientNormSum };
    return Object.keys(this.#conflicts).length === 0 ? kept : { ...kept, conflicts: this.#conflicts };
  }

  /** Labels of a batch as they were moved with its pictures. */
  addMoved(targets: BatchTargets): void {
    this.#moved?.push(targets);
  }

  /** What is kept of a step's tokens. */
  addOutputs(outputs: BatchOutputs, loss: BatchLoss, targets: BatchTargets): void {
    this.#tokens.push(outputs.tokens);
    const { sum, terms } = loss.tasks[this.#guessed?.index ?? -1] ?? { sum: 0, terms: 0 };
    const count = targets.masked?.length ?? 0;
    // where rows have weights the tally has their weighted mean
    const lossSum = targets.weights === undefined || terms === 0 ? sum : (sum / terms) * count;
    this.#counter?.addCounted({ lossSum, count, hits: outputs.hits });
  }

  /** Tasks that met at a feature in a step. */
  addPairs(pairs: readonly TaskPair[] = []): void {
    if (pairs.length > 0) this.#conflicts = countConflicts(this.#conflicts, pairs);
  }

  /** A step is done, and its logits are in their place. */
  advance(rows: number, gradientNorm: number): void {
    this.#gradientNormSum += gradientNorm;
    this.#done += rows;
  }

  report(): EpochReport {
    const steps = Math.ceil((this.#done - this.first) / this.#batchSize);
    return {
      interrupted: !this.isComplete,
      rows: this.#order.slice(this.first, this.#done),
      logits: this.#seen(),
      tokenOutputs: joinEach(this.#tokens),
      masked: this.#counter?.tally ?? null,
      movedLabels: this.#moved === null ? null : joinLabels(this.#network.layout, this.#moved),
      meanGradientNorm: steps === 0 ? 0 : this.#gradientNormSum / steps,
      conflicts: this.#conflicts,
    };
  }

  #seen(): Float32Array {
    return this.#logits.subarray(0, (this.#done - this.first) * this.#network.layout.width);
  }
}
