/** @file What is said of a task, by kind: plain, serialisable data. */

/** Options that every kind of task takes. */
export interface CommonTaskOptions {
  /** Label column, if it is neither the task's path nor its leaf name. */
  readonly column?: string;
  /** Constant weight of the task's masked mean in the total loss; default 1. */
  readonly lossWeight?: number;
}

/** What a task has one answer for: each row of the table, or each token of the row's sequence. */
export type Axis = "sample" | "token";

/** Options of tasks that may be asked of every token of a sequence. */
export interface TokenTaskOptions {
  /** Asked of each token of the project's token input; label cells are lists, one label per token. */
  readonly per?: "token";
}

/** Yes or no: sigmoid, binary cross entropy, one tuned threshold. */
export interface BinarySpec extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "binary";
}

/** One of several classes: softmax, cross entropy. */
export interface ClassificationSpec<Class extends string = string> extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "classification";
  readonly classes: readonly Class[];
}

/** Any subset of several labels: sigmoid, binary cross entropy, one tuned threshold per label. */
export interface MultilabelSpec<Label extends string = string>
  extends Omit<CommonTaskOptions, "column">,
    TokenTaskOptions {
  readonly kind: "multilabel";
  readonly labels: readonly Label[];
  /** One column with a delimited string or list, or one column per label (in the order of `labels`). */
  readonly column?: string | readonly string[];
  /** Separates labels in a string cell; default `,`. */
  readonly delimiter?: string;
}

/** Size of the row's original image by which a regression label is divided. */
export type ImageScale = "image-width" | "image-height";

/** A number in [min, max]: sigmoid, squared error of the normalized value. */
export interface BoundedRegressionSpec extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "boundedRegression";
  /** Bounds in label units; divided by the image's size where `scale` names one. */
  readonly min: number;
  readonly max: number;
  /** Labels in pixels of the original image are divided by its width or height; null: labels are taken as they are. */
  readonly scale: ImageScale | null;
  /**
   * What the number measures on the picture, so that it is drawn on it and moves with it under augmentation; `none`:
   * nothing that flips, shifts or scales change.
   */
  readonly measures?: "x" | "y" | "width" | "height" | "none";
}

/** Any number: a cost of the error of the value standardized on the train split. */
export interface RegressionSpec extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "regression";
  /** What a standardized error costs. */
  readonly loss: "squared" | "absolute" | "huber" | "log-cosh";
  /** Where `huber` becomes linear, in standard deviations; default 1. */
  readonly delta?: number;
  /** Of the labels that train the task; null until they have been read. */
  readonly statistics: { readonly mean: number; readonly deviation: number } | null;
}

/** One of several levels in order: a probability of "at least" for each but the lowest. */
export interface OrdinalSpec<Level extends string = string> extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "ordinal";
  /** From the lowest to the highest. */
  readonly levels: readonly Level[];
}

/** A yes-or-no column that is there whenever the network is asked: a condition by itself, without a head or a loss. */
export interface KnownSpec extends Pick<CommonTaskOptions, "column"> {
  readonly kind: "known";
  readonly lossWeight?: never;
}

/** Which tokens were hidden: softmax over the vocabulary at each masked token, cross entropy. Always per token. */
export interface MaskedLanguageModelingSpec extends Pick<CommonTaskOptions, "lossWeight"> {
  readonly kind: "maskedLanguageModeling";
  /** Name of the token input. */
  readonly input: string;
  /** Fraction of a row's tokens that are masked; at least one of a row that has any. */
  readonly maskRate: number;
  /** Whether valid and test are evaluated too, on tokens masked by the seed alone. */
  readonly evaluate: boolean;
  /** The input's tokens in the order of their ids, which count from 1; null until the data has been read. */
  readonly vocabulary: readonly string[] | null;
  readonly column?: never;
}

/**
 * What a custom task is to preconditions: nothing, a number with bounds, or a number that is also true from one half up.
 */
export type CustomGate = "none" | "bounds" | "truth";

/** A task of the user's own: what of it is data. Its functions are registered under its type and digest. */
export interface CustomSpec<Gate extends CustomGate = CustomGate> extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "custom";
  /** Name that its definition gives it. */
  readonly type: string;
  /** sha256 of everything that the definition says, hex. */
  readonly digest: string;
  /** Digest of each part of the definition, so that a message can say what has changed. */
  readonly parts: Readonly<Record<string, string>>;
  readonly logitWidth: number;
  readonly answerWidth: number;
  readonly gate: Gate;
  /** Whether its head is a dense layer of ours, or layers of the definition. */
  readonly head: "dense" | "custom";
  /** How its loss is made of a likelihood, for weighting by uncertainty. */
  readonly likelihood: Likelihood;
  /** Whether more is better, by name of metric. */
  readonly higherIsBetter: Readonly<Record<string, boolean>>;
  /** Metrics that are only computed where they are asked for; none where it is left out. */
  readonly onDemand?: readonly string[];
  /** Whether its answers are described in words instead of as numbers. */
  readonly described: boolean;
}

/** `gaussian`: the loss is a squared error; `categorical`: a negative log-probability. */
export type Likelihood = "gaussian" | "categorical";

export type TaskSpec =
  | BinarySpec
  | ClassificationSpec
  | MultilabelSpec
  | BoundedRegressionSpec
  | RegressionSpec
  | OrdinalSpec
  | MaskedLanguageModelingSpec
  | KnownSpec
  | CustomSpec;
export type TaskKind = TaskSpec["kind"];
export type SpecOf<K extends TaskKind> = Extract<TaskSpec, { readonly kind: K }>;
