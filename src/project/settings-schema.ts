/**
 * @file Settings of a project: what may be written under `data`, `train`, `tune`, `evaluate` and `log`, with defaults.
 * The descriptions are what docs/settings.md and an editor show: `npm run docs` writes both from this schema.
 */
import { z } from "zod";

const positive = z.number().positive();
const fraction = z.number().min(0).max(1);
// beyond 2^53 two whole numbers may be one, and a run could not be repeated from what is on record
const seed = z
  .number()
  .int()
  .refine(Number.isSafeInteger, "a seed is a whole number of at most 9007199254740991 (2^53 - 1), or as much below 0");
const wholePositive = z.number().int().positive();

const adamw = z.strictObject({
  kind: z.literal("adamw").describe("Adam with decoupled weight decay (Loshchilov & Hutter 2019)"),
  learningRate: positive.default(1e-3).describe("Size of a step"),
  beta1: fraction.default(0.9).describe("Decay of the mean of gradients"),
  beta2: fraction.default(0.999).describe("Decay of the mean of their squares"),
  epsilon: positive.default(1e-8).describe("Added to the denominator"),
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .describe("Part of each weight that a step takes away, times learningRate"),
});

const sgd = z.strictObject({
  kind: z.literal("sgd").describe("Stochastic gradient descent with momentum"),
  learningRate: positive.default(1e-2).describe("Size of a step"),
  momentum: fraction.default(0.9).describe("Part of the last step that the next one keeps"),
  nesterov: z.boolean().default(false).describe("Look ahead along the momentum"),
  weightDecay: z.number().min(0).default(0).describe("Times each weight, added to its gradient"),
});

const adam = z.strictObject({
  kind: z.literal("adam").describe("Adam (Kingma & Ba 2015)"),
  learningRate: positive.default(1e-3).describe("Size of a step"),
  beta1: fraction.default(0.9).describe("Decay of the mean of gradients"),
  beta2: fraction.default(0.999).describe("Decay of the mean of their squares"),
  epsilon: positive.default(1e-8).describe("Added to the denominator"),
  weightDecay: z.number().min(0).default(0).describe("Times each weight, added to its gradient"),
});

const rmsprop = z.strictObject({
  kind: z.literal("rmsprop").describe("Gradients divided by the root of their mean square (Tieleman & Hinton 2012)"),
  learningRate: positive.default(1e-3).describe("Size of a step"),
  decay: fraction.default(0.99).describe("Decay of the mean of squared gradients"),
  epsilon: positive.default(1e-8).describe("Added to the denominator"),
  momentum: fraction.default(0).describe("Part of the last step that the next one keeps"),
  weightDecay: z.number().min(0).default(0).describe("Times each weight, added to its gradient"),
});

const lion = z.strictObject({
  kind: z.literal("lion").describe("Steps of one size along the signs of a momentum (Chen et al. 2023)"),
  learningRate: positive.default(1e-4).describe("Size of a step: about a tenth of Adam's"),
  beta1: fraction.default(0.9).describe("Part of the momentum in a step's direction"),
  beta2: fraction.default(0.99).describe("Decay of the momentum"),
  weightDecay: z.number().min(0).default(0).describe("Part of each weight that a step takes away, times learningRate"),
});

const warmUp = {
  warmupEpochs: z
    .number()
    .min(0)
    .default(0)
    .describe("Epochs, or part of one, in which the rate grows along a line; 0: none"),
  warmupFrom: fraction.default(0.1).describe("The part of the learning rate that it then starts from"),
};

const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant").describe("The learning rate stays, after a warm-up"), ...warmUp }),
  z.strictObject({
    kind: z.literal("cosine").describe("Down along half a wave until the last step (Loshchilov & Hutter 2017)"),
    finalFactor: fraction.default(0).describe("The part of the learning rate that it comes down to"),
    ...warmUp,
  }),
  z.strictObject({
    kind: z.literal("oneCycle").describe("Up to the learning rate and down again (Smith & Topin 2018)"),
    warmupFraction: fraction.default(0.3).describe("Part of all steps in which it grows"),
    initialFactor: fraction.default(0.04).describe("The part of the learning rate that it starts from"),
    finalFactor: fraction.default(4e-6).describe("The part of the learning rate that it ends at"),
  }),
  z.strictObject({
    kind: z.literal("exponential").describe("Multiplied after every epoch"),
    factor: z.number().gt(0).lt(1).default(0.95).describe("What it is multiplied by"),
    ...warmUp,
  }),
  z.strictObject({
    kind: z.literal("steps").describe("Multiplied after some epochs"),
    epochs: z.array(wholePositive).min(1).describe("Epochs after which it is multiplied"),
    factor: z.number().gt(0).lt(1).default(0.1).describe("What it is multiplied by"),
    ...warmUp,
  }),
]);

const replicas = z
  .custom<number | "auto">(
    (value) => value === "auto" || (typeof value === "number" && Number.isInteger(value) && value >= 1),
    'write a whole number from 1, or "auto"',
  )
  .meta({ type: 'number | "auto"' });

const train = z.strictObject({
  epochs: wholePositive.default(10).describe("How often every training row is seen"),
  batchSize: wholePositive.default(32).describe("Rows per step"),
  checkpointEverySteps: wholePositive
    .nullable()
    .default(null)
    .describe("Steps between checkpoints within an epoch; null: only at its end"),
  seed: seed.default(7).describe("Of the first weights, the order of rows, dropout and augmentation"),
  replicas: replicas
    .default(1)
    .describe("Copies of the network that share every batch; auto: as many as the machine has cores or GPUs for"),
  optimizer: z
    .discriminatedUnion("kind", [adamw, adam, sgd, rmsprop, lion])
    .prefault({ kind: "adamw" })
    .describe("How gradients become steps"),
  schedule: schedule
    .nullable()
    .default(null)
    .describe("How the learning rate goes from step to step, besides reduceOnPlateau; null: it stays"),
  accumulate: wholePositive
    .default(1)
    .describe("Parts that a batch is computed in, one after the other, where all of it takes too much memory"),
  averageWeights: z
    .strictObject({
      decay: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.999)
        .describe("Part of the average that a step keeps; the first ones keep less"),
    })
    .nullable()
    .default(null)
    .describe(
      "Evaluate, and keep as the best checkpoint, a moving average of the weights; null: the weights themselves",
    ),
  clipNorm: positive.nullable().default(null).describe("Largest norm of all gradients together; null: no limit"),
  conflicts: z
    .enum(["add", "project", "upgrad"])
    .default("add")
    .describe(
      "What is done where gradients of tasks point against each other at a feature that they share: added, projected first (PCGrad: Yu et al. 2020), or made such that no task's loss rises (UPGrad: Quinton & Rey 2024)",
    ),
  taskWeighting: z
    .enum(["constant", "uncertainty"])
    .default("constant")
    .describe("Losses are weighted by lossWeight alone, or by learned uncertainties as well (Kendall et al. 2018)"),
  sampling: z
    .enum(["uniform", "active"])
    .default("uniform")
    .describe(
      "Which rows an epoch draws: every one once, or half of them by the tasks, so that one asked of few rows sees them often",
    ),
  monitor: z
    .string()
    .default("_total/loss")
    .describe(
      "Decides the best checkpoint, the plateau and early stopping: _total/loss or <task path>/<metric> on valid",
    ),
  from: z
    .union([
      z.string().min(1),
      z.strictObject({ run: z.string().min(1).describe("Id, start of an id, name, or latest") }),
    ])
    .nullable()
    .default(null)
    .describe("A run, or the model.json of a saved LayersModel (relative to the project), whose weights to begin with"),
  freeze: z.array(z.string()).default([]).describe("Features, tasks and flows whose weights stay as they are"),
  layerRates: z
    .record(z.string(), positive)
    .default({})
    .describe(
      "Factors of the learning rate for layers of the trunk, by name or beginning (block_1_*); of several that fit the first counts, and heads keep 1",
    ),
  featureCache: z
    .strictObject({
      precision: z
        .enum(["float32", "float16"])
        .default("float32")
        .describe("Of each number; float16 takes half the room, and changes answers by about a thousandth"),
      gigabytes: positive.default(10).describe("Largest size of the cache; what was not used for longest is removed"),
      views: wholePositive
        .nullable()
        .default(null)
        .describe(
          "With data.augment: so many changed copies of each picture take turns, and theirs are the features that are cached; null: every epoch changes pictures anew, and nothing is cached for training",
        ),
    })
    .nullable()
    .prefault({})
    .describe(
      "What a frozen trunk puts out is computed once per picture and kept in the store's cache, so that only what trains is run; null: the trunk runs in every step",
    ),
  reduceOnPlateau: z
    .strictObject({
      factor: z.number().gt(0).lt(1).default(0.5).describe("What the learning rate is multiplied by"),
      patience: wholePositive.default(5).describe("Epochs without improvement before that"),
      minLearningRate: z.number().min(0).default(1e-6).describe("Where it stops"),
    })
    .nullable()
    .default(null)
    .describe("Lower the learning rate where the monitor no longer improves; null: never"),
  earlyStopping: z
    .strictObject({ patience: wholePositive.default(10).describe("Epochs without improvement before the end") })
    .nullable()
    .default(null)
    .describe("End the run where the monitor no longer improves; null: never"),
});

const splitCare = {
  groupBy: z
    .string()
    .min(1)
    .optional()
    .describe("Column of groups, such as patients: the rows of one stay in one split, and in one fold"),
  stratify: z
    .boolean()
    .optional()
    .describe("Whether every class of every task, among its active labels, gets its share of every split and fold"),
  folds: z.number().int().min(2).max(100).optional().describe("Parts for cool run --folds; 5 where nothing is said"),
  fold: wholePositive
    .optional()
    .describe("The part of train and valid together that is valid; set by cool run --folds"),
};

const split = z.union([
  z.strictObject({
    column: z.string().describe("Column whose cells are train, valid (or val, validation) or test"),
    seed: seed.optional().describe("Which rows fall into which fold"),
    ...splitCare,
  }),
  z.strictObject({
    train: fraction.default(0.8).describe("Part of the rows that train"),
    valid: fraction.default(0.1).describe("Part that decides thresholds and the best checkpoint"),
    test: fraction.default(0.1).describe("Part that only the final evaluation sees"),
    seed: seed.default(7).describe("Which rows fall where"),
    ...splitCare,
  }),
]);

const scaleFactor = z.number().min(0.1).max(10);
const areaShare = z.number().min(0.01).max(1);

const mixStrength = z.number().min(0).max(100).default(0);

const augment = z.strictObject({
  flipHorizontal: fraction.default(0).describe("Probability of a mirrored picture"),
  flipVertical: fraction.default(0).describe("Probability of a picture upside down"),
  shift: fraction.default(0).describe("Largest shift along each axis, as a fraction of the picture's size"),
  scale: z
    .tuple([scaleFactor, scaleFactor])
    .refine(([smallest, largest]) => smallest <= largest, "write [smallest, largest], e.g. [0.8, 1.2]")
    .default([1, 1])
    .describe("Smallest and largest factor of size"),
  brightness: fraction.default(0).describe("The factor is drawn from 1 − value to 1 + value"),
  contrast: fraction.default(0).describe("The factor is drawn from 1 − value to 1 + value"),
  saturation: fraction.default(0).describe("The factor is drawn from 1 − value to 1 + value"),
  rotate: z.number().min(0).max(180).default(0).describe("Largest turn either way, in degrees"),
  crop: z
    .tuple([areaShare, areaShare])
    .refine(([smallest, largest]) => smallest <= largest, "write [smallest, largest], e.g. [0.6, 1]")
    .default([1, 1])
    .describe("Smallest and largest share of the area that is cut out and enlarged, sides 3 : 4 to 4 : 3"),
  perspective: fraction.default(0).describe("How far the corners move inwards, as a fraction of half the size"),
  blur: z.number().min(0).max(100).default(0).describe("Largest standard deviation of a Gaussian blur, in pixels"),
  noise: fraction.default(0).describe("Largest standard deviation of Gaussian noise, of the range from black to white"),
  erase: fraction.default(0).describe("Probability of a rectangle of the mean colour, 2 to 33 % of the area"),
  mixup: mixStrength.describe(
    "Two pictures of a batch faded into each other, with both labels: α of the Beta(α, α) of their shares, usually 0.1 to 0.4; 0: not (Zhang et al. 2018)",
  ),
  cutmix: mixStrength.describe(
    "A part of one picture of a batch pasted into another, with both labels: α of the Beta(α, α) of their shares, usually 1; 0: not (Yun et al. 2019)",
  ),
  mixShare: fraction
    .default(1)
    .describe("Probability that a batch is mixed; tasks whose labels no mixture has learn from the other batches"),
});

const tableSource = z.strictObject({
  table: z.string().min(1).describe("CSV, Parquet or JSON-lines file relative to the project, or a SQL query"),
  columns: z
    .record(z.string(), z.string())
    .optional()
    .describe("Columns that this table names differently: wanted name → its name here"),
  split: split.optional().describe("Instead of data.split"),
});

const data = z
  .strictObject({
    table: z
      .string()
      .min(1)
      .optional()
      .describe("CSV, Parquet or JSON-lines file relative to the project, or a SQL query"),
    tables: z.array(tableSource).min(1).optional().describe("More tables, each with some of the label columns"),
    allow: z
      .array(z.string().min(1))
      .default([])
      .describe("Folders and files that SQL queries may read besides the project's folder and those of its tables"),
    split: split
      .default({ train: 0.8, valid: 0.1, test: 0.1, seed: 7 })
      .describe("Which rows train, validate and test, in every table that brings no split of its own"),
    onBadImage: z
      .enum(["error", "skip"])
      .default("error")
      .describe("What a picture that cannot be decoded is: an error, or a row that is left out, counted and listed"),
    weight: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("Column of how much each row counts in training, in the mean of every task; null: all alike"),
    impliedLabels: z
      .boolean()
      .default(false)
      .describe("Whether missing labels of gates are taken from the labels of what they gate"),
    augment: augment
      .nullable()
      .default(null)
      .describe(
        "How training pictures are changed at random, and the labels that measure them with them; null: not at all",
      ),
  })
  .refine(({ table, tables }) => table !== undefined || tables !== undefined, {
    path: ["table"],
    message: "name a file or a SQL query, or several in data.tables",
  });

const tune = z.strictObject({
  metric: z.string().default("f1_score").describe("What the best thresholds are best for"),
});

const evaluate = z.strictObject({
  metrics: z
    .array(z.string())
    .default([])
    .describe("Metrics to compute besides the usual ones, after each epoch and at the end, e.g. matthews_correlation"),
  tolerance: fraction
    .default(0.05)
    .describe("How far off a number may be and still be right, end to end, as a share of its range"),
});

const log = z.strictObject({
  top: wholePositive.default(10).describe("Best and worst samples kept per task"),
  imagesEvery: wholePositive
    .nullable()
    .default(10)
    .describe("Epochs between pictures of them in TensorBoard; null: only at the end"),
  maxImages: wholePositive
    .nullable()
    .default(20)
    .describe(
      "Pictures of one tag at most: the first, that of the end, and between them ever fewer as the run goes on; null: any number",
    ),
  imageFormat: z.enum(["png", "jpeg"]).default("png").describe("Format of these pictures"),
  every: wholePositive
    .nullable()
    .default(20)
    .describe("Steps between points of the running loss; null: only whole epochs"),
  histograms: z
    .boolean()
    .default(false)
    .describe("Distributions of weights and scores in TensorBoard after each epoch"),
});

export const settingsSchema = z.strictObject({
  data: data.describe("Tables, splits and what is done to pictures"),
  train: train.prefault({}).describe("How the network is trained"),
  tune: tune.prefault({}).describe("How thresholds are tuned"),
  evaluate: evaluate.prefault({}).describe("What is measured besides"),
  log: log.prefault({}).describe("What is logged, and how often"),
});

/** All settings, with defaults filled in. */
export type Settings = z.output<typeof settingsSchema>;
