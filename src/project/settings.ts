/** @file Settings of a project: what may be written under `data`, `train`, `tune`, `evaluate` and `log`, with defaults. */
import { z } from "zod";
import { ConfigError, nearestNames, sentence, UsageError } from "../errors.js";

const positive = z.number().positive();
const fraction = z.number().min(0).max(1);
const wholePositive = z.number().int().positive();

const optimizer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("adamw"),
    learningRate: positive.default(1e-3),
    beta1: fraction.default(0.9),
    beta2: fraction.default(0.999),
    epsilon: positive.default(1e-8),
    weightDecay: z.number().min(0).default(0.01),
  }),
  z.strictObject({
    kind: z.literal("sgd"),
    learningRate: positive.default(1e-2),
    momentum: fraction.default(0.9),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).default(0),
  }),
]);

/** How many replicas of the network compute every step; `auto`: as many as the machine has cores or GPUs for. */
const replicas = z.custom<number | "auto">(
  (value) => value === "auto" || (Number.isInteger(value) && (value as number) >= 1),
  'write a whole number from 1, or "auto"',
);

const train = z.strictObject({
  epochs: wholePositive.default(10),
  batchSize: wholePositive.default(32),
  /** Steps between checkpoints within an epoch; null: only at its end. */
  checkpointEverySteps: wholePositive.nullable().default(null),
  seed: z.number().int().default(7),
  replicas: replicas.default(1),
  optimizer: optimizer.default({
    kind: "adamw",
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
  }),
  /** Largest norm of all gradients together. */
  clipNorm: positive.nullable().default(null),
  /** Losses are weighted by their lossWeights alone, or by learned uncertainties as well: Kendall et al. (2018). */
  taskWeighting: z.enum(["constant", "uncertainty"]).default("constant"),
  /** Decides the best checkpoint, the plateau and early stopping: _total/loss or <task path>/<metric> on valid. */
  monitor: z.string().default("_total/loss"),
  /** A run, or the model.json of a saved LayersModel (relative to the project), whose weights to begin with. */
  from: z
    .union([z.string().min(1), z.strictObject({ run: z.string().min(1) })])
    .nullable()
    .default(null),
  /** Features, tasks and flows whose weights stay as they are. */
  freeze: z.array(z.string()).default([]),
  reduceOnPlateau: z
    .strictObject({
      factor: z.number().gt(0).lt(1).default(0.5),
      patience: wholePositive.default(5),
      minLearningRate: z.number().min(0).default(1e-6),
    })
    .nullable()
    .default(null),
  earlyStopping: z
    .strictObject({ patience: wholePositive.default(10) })
    .nullable()
    .default(null),
});

const split = z.union([
  z.strictObject({ column: z.string() }),
  z.strictObject({
    train: fraction.default(0.8),
    valid: fraction.default(0.1),
    test: fraction.default(0.1),
    seed: z.number().int().default(7),
  }),
]);

const scaleFactor = z.number().min(0.1).max(10);

const augment = z.strictObject({
  /** Probabilities. */
  flipHorizontal: fraction.default(0),
  flipVertical: fraction.default(0),
  /** Largest shift along each axis, as a fraction of the picture's size. */
  shift: fraction.default(0),
  /** Smallest and largest factor of size. */
  scale: z
    .tuple([scaleFactor, scaleFactor])
    .refine(([smallest, largest]) => smallest <= largest, "write [smallest, largest], e.g. [0.8, 1.2]")
    .default([1, 1]),
  /** Factors are drawn from 1 − value to 1 + value. */
  brightness: fraction.default(0),
  contrast: fraction.default(0),
  saturation: fraction.default(0),
});

const tableSource = z.strictObject({
  table: z.string().min(1),
  /** Columns that this table names differently: wanted name → its name here. */
  columns: z.record(z.string(), z.string()).optional(),
  /** Instead of data.split. */
  split: split.optional(),
});

const data = z
  .strictObject({
    /** CSV, Parquet or JSON-lines file relative to the project, or a SQL query. */
    table: z.string().min(1).optional(),
    /** More of them, each with some of the label columns. */
    tables: z.array(tableSource).min(1).optional(),
    /** Folders and files that SQL queries may read besides the project's folder and those of its tables. */
    allow: z.array(z.string().min(1)).default([]),
    /** Of every table that brings none of its own. */
    split: split.default({ train: 0.8, valid: 0.1, test: 0.1, seed: 7 }),
    onBadImage: z.enum(["error", "skip"]).default("error"),
    /** Whether missing labels of gates are taken from the labels of what they gate. */
    impliedLabels: z.boolean().default(false),
    /** How training pictures are changed at random, and the labels that measure them with them. */
    augment: augment.nullable().default(null),
  })
  .refine(({ table, tables }) => table !== undefined || tables !== undefined, {
    path: ["table"],
    message: "name a file or a SQL query, or several in data.tables",
  });

const tune = z.strictObject({ metric: z.string().default("f1_score") });
const evaluate = z.strictObject({
  /** Metrics to compute besides the usual ones, after each epoch and at the end, e.g. matthews_correlation. */
  metrics: z.array(z.string()).default([]),
});
const log = z.strictObject({
  /** Best and worst samples kept per task. */
  top: wholePositive.default(10),
  /** Epochs between pictures of them in TensorBoard; null: only at the end. */
  imagesEvery: wholePositive.nullable().default(10),
  imageFormat: z.enum(["png", "jpeg"]).default("png"),
  /** Steps between points of the running loss; null: only whole epochs. */
  every: wholePositive.nullable().default(20),
  /** Distributions of weights and scores in TensorBoard after each epoch. */
  histograms: z.boolean().default(false),
});

const settings = z.strictObject({
  data,
  train: train.prefault({}),
  tune: tune.prefault({}),
  evaluate: evaluate.prefault({}),
  log: log.prefault({}),
});

/** All settings, with defaults filled in. */
export type Settings = z.output<typeof settings>;
/** The tables of the data, in the order of their rows. */
export function tablesOf({ table, tables = [] }: Settings["data"]): string[] {
  return [...(table === undefined ? [] : [table]), ...tables.map((source) => source.table)];
}

/** What a user may write. */
export type SettingsInput = z.input<typeof settings>;

/**
 * @param where the file the settings come from, for messages
 * @throws ConfigError naming the file, the key, and the nearest known key
 */
export function parseSettings(input: unknown, where: string): Settings {
  const result = settings.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue));
  throw new ConfigError(sentence(`${where}: ${problems.map(({ text }) => text).join("; ")}`), {
    file: where,
    keys: problems.map(({ key }) => key),
  });
}

interface Problem {
  readonly key: string;
  readonly text: string;
}

function describeIssue(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path);
    return issue.keys.map((unknown) => {
      const key = [...path, unknown].join(".");
      const [nearest] = nearestNames(unknown, known);
      const hint =
        nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${[...path, nearest].join(".")}"?`;
      return { key, text: `"${key}" is not a setting; ${hint}` };
    });
  }
  if (issue.code === "invalid_union") {
    // the branch that matches best says what is wrong; "split" may be written in two ways
    const branches = issue.errors.map((errors) =>
      errors.flatMap((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue)),
    );
    return branches.sort((a, b) => a.length - b.length)[0] ?? [{ key: path.join("."), text: issue.message }];
  }
  const key = path.join(".");
  return [{ key, text: `"${key}" is wrong: ${issue.message}` }];
}

/** Keys that may stand at a path, looked up in the schema. */
function knownKeys(path: readonly string[]): string[] {
  const schemas = path.reduce<z.core.$ZodType[]>(
    (level, key) => level.flatMap((schema) => childrenAt(schema, key)),
    [settings],
  );
  return [...new Set(schemas.flatMap(shapesOf).flatMap((shape) => Object.keys(shape)))];
}

const WRAPPERS = [z.ZodDefault, z.ZodPrefault, z.ZodNullable, z.ZodOptional] as const;

/** What may stand at one key of an object, or at one place of a list. */
function childrenAt(schema: z.core.$ZodType, key: string): z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.element as z.core.$ZodType];
  if (schema instanceof z.ZodOptional) return childrenAt(schema.def.innerType as z.core.$ZodType, key);
  return shapesOf(schema).flatMap((shape) => (shape[key] === undefined ? [] : [shape[key]]));
}

function shapesOf(schema: z.core.$ZodType): Record<string, z.core.$ZodType>[] {
  if (schema instanceof z.ZodObject) return [schema.shape];
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => shapesOf(option as z.core.$ZodType));
  if (WRAPPERS.some((Wrapper) => schema instanceof Wrapper)) {
    return shapesOf((schema as z.ZodOptional).def.innerType as z.core.$ZodType);
  }
  return [];
}

/**
 * Applies `--set train.batchSize=64` to what the user wrote.
 * @param assignments `key=value`; the value is JSON, or else a string
 */
export function applyAssignments(input: SettingsInput, assignments: readonly string[]): SettingsInput {
  const changed = structuredClone(input) as Record<string, unknown>;
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    if (at <= 0) {
      throw new UsageError(`--set ${assignment} is not key=value. Write e.g. --set train.batchSize=64.`, {
        assignment,
      });
    }
    const keys = assignment.slice(0, at).split(".");
    const last = keys.pop() as string;
    let target = changed;
    for (const key of keys) {
      const inner = target[key];
      target[key] = typeof inner === "object" && inner !== null ? { ...inner } : {};
      target = target[key] as Record<string, unknown>;
    }
    target[last] = parseValue(assignment.slice(at + 1));
  }
  return changed as SettingsInput;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
