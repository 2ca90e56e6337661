/** @file How far a task's answers spread over stochastic passes of the network. */
import { at, f32At, f64At } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf, type Labels, type Thresholds } from "../../tasks/index.js";

/** Mean and sample standard deviation (n − 1) of each number. */
export interface Spread {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** Types of answers whose spread is in label units. */
const NUMERIC: ReadonlySet<string> = new Set(["number", "numbers"]);

/** One task's answers to some rows (or to their tokens) over all samples. */
interface SampledTask {
  /** [rows, logitWidth], of the activated scores; of a task per token [tokens, logitWidth]. */
  readonly activated: Spread;
  /** [rows, answerWidth] in label units, where the answer is a number; else null. */
  readonly decoded: Spread | null;
}

/** All tasks, in the order of the graph. */
export interface SampledAnswers {
  readonly samples: number;
  readonly tasks: readonly SampledTask[];
}

/** Adds up samples of some rows. */
export class AnswerSampler {
  readonly #graph: FlowGraph;
  readonly #thresholds: readonly Thresholds[];
  readonly #labels: readonly Labels[];
  readonly #activated: SpreadSum[];
  readonly #decoded: SpreadSum[];
  #samples = 0;

  /** @param labels of the rows, per task: a regression may be scaled by the size of the row's image */
  constructor(graph: FlowGraph, thresholds: readonly Thresholds[], labels: readonly Labels[]) {
    this.#graph = graph;
    this.#thresholds = thresholds;
    this.#labels = labels;
    this.#activated = graph.tasks.map(() => new SpreadSum());
    this.#decoded = graph.tasks.map(() => new SpreadSum());
  }

  /** @param logits per task, [rows, logitWidth]; of a task per token [tokens, logitWidth] */
  add(logits: readonly Float32Array[]): void {
    this.#samples += 1;
    for (const { index, spec } of this.#graph.tasks) {
      const behaviour = behaviourOf(spec);
      if (behaviour.answeredBy !== "network") continue;
      const activated = behaviour.activate(spec, at(logits, index));
      this.#activated[index]?.add(activated);
      if (!NUMERIC.has(behaviour.answerType(spec))) continue;
      const { unitScale } = at(this.#labels, index);
      this.#decoded[index]?.add(behaviour.decode(spec, activated, at(this.#thresholds, index), unitScale));
    }
  }

  get answers(): SampledAnswers {
    const tasks = this.#graph.tasks.map(({ index }): SampledTask => {
      const [activated, decoded] = [at(this.#activated, index), at(this.#decoded, index)];
      return { activated: activated.spread, decoded: decoded.samples === 0 ? null : decoded.spread };
    });
    return { samples: this.#samples, tasks };
  }
}

/**
 * Mean and variance in one pass over the samples, without the cancellation that sums of squares suffer.
 * Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products" (1962).
 */
class SpreadSum {
  samples = 0;
  #mean = new Float64Array(0);
  #squares = new Float64Array(0);

  add(values: Float32Array): void {
    if (this.samples === 0) {
      this.#mean = new Float64Array(values.length);
      this.#squares = new Float64Array(values.length);
    }
    this.samples += 1;
    for (let i = 0; i < values.length; i++) {
      const before = f32At(values, i) - f64At(this.#mean, i);
      const mean = f64At(this.#mean, i) + before / this.samples;
      this.#mean[i] = mean;
      this.#squares[i] = f64At(this.#squares, i) + before * (f32At(values, i) - mean);
    }
  }

  get spread(): Spread {
    const deviation = Float32Array.from(this.#squares, (squares) => Math.sqrt(squares / (this.samples - 1)));
    return { mean: Float32Array.from(this.#mean), deviation };
  }
}
