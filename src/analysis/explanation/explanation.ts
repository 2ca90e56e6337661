/** @file What an explanation tree is made of. */
import type { Offsets } from "../../flow/masks.js";
import type { DescribedSet } from "../conformal/sets.js";
import type { ScoredTask } from "../score.js";

/** Plain value of an answer: a truth, a name, or a number in label units. */
export type ExplainedValue = boolean | string | number;

/** One task's answer, or a flow within the flow, which has none: its lists are empty (docs/architecture.md#trees). */
export interface ExplanationNode {
  readonly path: string;
  readonly kind: "flow" | "task";
  /**
   * [true] or [false] for a binary task; all classes, best first; the labels that are present; [number] in label units.
   */
  readonly decoded: readonly ExplainedValue[];
  /** Names of the scores where each answers a question of its own: labels of a multilabel, ranks of an ordinal. */
  readonly labels?: readonly string[];
  /** From which score up the answer is yes; of a multilabel one for each label. */
  readonly thresholds?: readonly number[];
  /** One per logit: in the order of `decoded` for classes, of the declared labels for a multilabel. */
  readonly activated: readonly number[];
  /** Aligned with `activated`. */
  readonly logits: readonly number[];
  /**
   * Of a task per token: the tokens of the row, from 0, that the other lists are about, at most 32, and how many the
   * row has. `decoded` has one value for each; the other two the number behind it, or all numbers of a multilabel.
   */
  readonly positions?: readonly number[];
  readonly tokens?: number;
  /**
   * Of a task per pixel: of how many pixels it is asked. `activated` has the part of the picture that each region of
   * `decoded` takes, and `logits` is empty; of numbers `decoded` is their mean.
   */
  readonly pixels?: number;
  /** The tokens at these positions, in words, where they are known. */
  readonly words?: readonly string[];
  /** Where the network was asked many times, under dropout. */
  readonly uncertainty?: Uncertainty;
  /** That the question is asked, where it has a precondition; of a task per token at each of its positions. */
  readonly asked_probability?: number | readonly number[];
  /** That it is asked and answered as decoded, where the scores say how likely an answer is. */
  readonly joint_probability?: number | readonly number[];
  /** Whether the answer is one that was supposed, whatever the network says: `activated` and `logits` are empty then. */
  readonly supposed?: true;
  /** Answers of which one is true with a given probability, where they are asked for. */
  readonly set?: DescribedSet;
  /** The condition of this use, in words, where it is more than the gate under which the node hangs. */
  readonly given?: string;
  /** What hangs under it, in the order of the flow. */
  readonly children: readonly ExplanationNode[];
}

/** Mean and standard deviation over stochastic passes of the network. */
export interface Uncertainty extends SpreadOfRow {
  readonly samples: number;
  /** Of the answer in label units, where it is a number. */
  readonly decoded?: SpreadOfRow;
}

/** Aligned with `activated`. */
export interface SpreadOfRow {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** What an explanation reads; a scored split is one. */
export interface Explainable {
  readonly tasks: readonly ExplainableTask[];
  readonly offsets?: Offsets | null;
}

export type ExplainableTask = Pick<ScoredTask, "thresholds" | "kept" | "decoded" | "activePredicted">;

/** A node without its place in the tree. */
export type TaskAnswer = Omit<ExplanationNode, "path" | "kind" | "given" | "children">;
