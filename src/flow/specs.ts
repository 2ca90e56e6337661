/** @file What is said of a task, by kind: plain, serialisable data. */

/** Options that every kind of task takes. */
export interface CommonTaskOptions {
  /** Label column, if it is neither the task's path nor its leaf name. */
  readonly column?: string;
  /** Constant weight of the task's masked mean in the total loss; default 1. */
  readonly lossWeight?: number;
}

/** What a task has one answer for: each row of the table, each token of the row's sequence, or each pixel of its picture. */
export type Axis = "sample" | "token" | "pixel";

/** Options of tasks that may be asked of every token of a sequence. */
export interface TokenTaskOptions {
  /** Asked of each token of the project's token input; label cells are lists, one label per token. */
  readonly per?: "token";
}

/** Options of tasks that may be asked of every token of a sequence, or of every pixel of a picture. */
export interface ElementTaskOptions {
  /** `token`: see {@link TokenTaskOptions}; `pixel`: asked of each pixel of the project's image input; label cells are masks. */
  readonly per?: "token" | "pixel";
  /** Value of a mask's pixels that have no label; default 255 of a classification, of other kinds none. */
  readonly ignore?: number;
  /** Of a task per pixel: the size of the picture that the network sees; not there until the project is loaded. */
  readonly size?: PixelSize;
}

export type PixelSize = readonly [height: number, width: number];

/** Losses of the overlap of an answer's region with the labelled one. */
export type OverlapLoss = "dice" | "dice-cross-entropy";

/** Options of losses that are cross entropies. */
export interface CrossEntropyOptions<Loss extends string = "cross-entropy" | "focal"> {
  /**
   * `focal`: answers that are right already count less: Lin et al., "Focal Loss for Dense Object Detection" (2017).
   * Of tasks per pixel also `dice`, the overlap of regions: Milletari et al., "V-Net" (2016), and the sum of both.
   */
  readonly loss?: Loss;
  /** Of a focal loss: the exponent of 1 − p of the right answer; default 2. */
  readonly focus?: number;
  /** Part of each label that is shared by all answers: Szegedy et al. (2016); default 0. */
  readonly labelSmoothing?: number;
}

/** What "balanced" weights came to. */
interface FittedWeights {
  /** Of yes, of each label, or of each class; read from the labels that train the task. */
  readonly fittedWeights?: readonly number[];
}

/** Yes or no: sigmoid, binary cross entropy, one tuned threshold. */
export interface BinarySpec
  extends CommonTaskOptions,
    ElementTaskOptions,
    CrossEntropyOptions<"cross-entropy" | "focal" | OverlapLoss>,
    FittedWeights {
  readonly kind: "binary";
  /** How much a label yes counts in the loss; `balanced`: as much as makes up for how rare it is. Default 1. */
  readonly positiveWeight?: number | "balanced";
}

/** One of several classes: softmax, cross entropy. */
export interface ClassificationSpec<Class extends string = string>
  extends CommonTaskOptions,
    ElementTaskOptions,
    CrossEntropyOptions<"cross-entropy" | "focal" | OverlapLoss>,
    FittedWeights {
  readonly kind: "classification";
  readonly classes: readonly Class[];
  /** Of RGB masks per pixel: the colour of each class, as `#rrggbb`; without it, masks hold the classes' places. */
  readonly colours?: readonly string[];
  /** How much a label of each class counts in the loss, in their order; `balanced`: all classes alike. Default 1. */
  readonly classWeights?: readonly number[] | "balanced";
}

/** Any subset of several labels: sigmoid, binary cross entropy, one tuned threshold per label. */
export interface MultilabelSpec<Label extends string = string>
  extends Omit<CommonTaskOptions, "column">,
    TokenTaskOptions,
    CrossEntropyOptions,
    FittedWeights {
  readonly kind: "multilabel";
  readonly labels: readonly Label[];
  /** How much a label that is there counts in the loss, for all or for each; `balanced`: see binary. Default 1. */
  readonly positiveWeight?: number | readonly number[] | "balanced";
  /** One column with a delimited string or list, or one column per label (in the order of `labels`). */
  readonly column?: string | readonly string[];
  /** Separates labels in a string cell; default `,`. */
  readonly delimiter?: string;
}

/** Size of the row's original image by which a regression label is divided. */
export type ImageScale = "image-width" | "image-height";

/**
 * A number about the row's picture: a side of the original, the whole of it as the unit, or the place, in fractions of
 * it, of what the network sees.
 */
export type PictureFact = ImageScale | "unit" | "frame-left" | "frame-top" | "frame-width" | "frame-height";

/** A number in [min, max]: sigmoid, a cost of the error of the normalized value. */
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
  /** What an error costs, as a fraction of the range; default `squared`. */
  readonly loss?: ErrorLoss;
  /** Where `huber` becomes linear, as a fraction of the range; default 0.1. */
  readonly delta?: number;
}

/** What an error of a number costs. */
export type ErrorLoss = "squared" | "absolute" | "huber" | "log-cosh";

/** Any number: a cost of the error of the value standardized on the train split. */
export interface RegressionSpec extends CommonTaskOptions, ElementTaskOptions {
  readonly kind: "regression";
  /** Of masks per pixel: what one step of their values is worth, e.g. 0.001 for millimetres as metres; default 1. */
  readonly pixelUnit?: number;
  /** What a standardized error costs. */
  readonly loss: ErrorLoss;
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

/** One box on the picture: sigmoids of its centre and size. Four numbers are one label. */
export interface BoxSpec extends Pick<CommonTaskOptions, "lossWeight"> {
  readonly kind: "box";
  /** Columns of the four numbers, in the order of the format. */
  readonly column: readonly string[];
  /** Corner and size, centre and size, or two opposite corners. */
  readonly format: "xywh" | "cxcywh" | "xyxy";
  /** `image`: labels are pixels of the original image; null: fractions of its size. */
  readonly scale: "image" | null;
  readonly loss: "smooth-l1" | "giou";
  /** Where `smooth-l1` becomes linear, as a fraction of the picture; default 1/9. */
  readonly beta?: number;
  /** Whether the network sees a part of the picture, or bars around it, as the image input says. */
  readonly framed?: true;
}

/** One point on the picture: sigmoids of its coordinates. Two numbers are one label. */
export interface PointSpec extends Pick<CommonTaskOptions, "lossWeight"> {
  readonly kind: "point";
  /** Columns of x and y. */
  readonly column: readonly string[];
  /** `image`: labels are pixels of the original image; null: fractions of its size. */
  readonly scale: "image" | null;
  /** Where the loss becomes linear, as a fraction of the picture; default 1/9. */
  readonly beta?: number;
  /** Whether the network sees a part of the picture, or bars around it, as the image input says. */
  readonly framed?: true;
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
  | BoxSpec
  | PointSpec
  | MaskedLanguageModelingSpec
  | KnownSpec
  | CustomSpec;
export type TaskKind = TaskSpec["kind"];
export type SpecOf<K extends TaskKind> = Extract<TaskSpec, { readonly kind: K }>;
