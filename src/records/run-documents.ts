/**
 * @file What a run's folder says of itself, checked when it is read: configuration, flow, thresholds and source. A run
 * may come from anywhere, so nothing after this meets a document that no run has written.
 */
import { z } from "zod";
import { CoolError } from "../errors.js";
import { type Condition, type FlowGraph, gatesOf, type TaskKind, type TaskSpec } from "../flow/graph.js";
import { type Externals, NO_EXTERNALS } from "../engine/model/pretrained/external-part.js";
import { tasksOfContract } from "../flow/contracts.js";
import { problemOf } from "../platform/document-problem.js";
import { parseSettings } from "../project/settings.js";
import type { SourceRecord } from "../provenance/capture-source.js";
import { behaviourOf, ERROR_LOSSES, isCustom } from "../tasks/index.js";
import { brokenDocument, type RunConfig, readJson, runFiles, recordOf } from "./run-folder.js";

const text = z.string();
const count = z.number().int().min(0);
/** A side or a length that fits into memory: what a run writes is far below. */
const extent = z.number().int().min(1).max(65_536);
const column = text;
/** sha256, hex: what is read by it lies in the store under this name, and nowhere else. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const side = z.enum(["left", "right"]);

const inputSpecs: { readonly [K in RunConfig["inputs"][string]["kind"]]: z.ZodType } = {
  image: z.looseObject({
    column,
    size: z.tuple([extent, extent]),
    channels: z.union([z.literal(1), z.literal(3)]),
    framing: z
      .looseObject({
        fit: z.enum(["crop", "letterbox"]),
        resizeTo: z.union([extent, z.tuple([extent, extent])]).optional(),
        background: z.number().int().min(0).max(255).optional(),
      })
      .optional(),
    filter: z.enum(["nearest", "bilinear", "bicubic", "lanczos"]).optional(),
    preprocessor: z.never().optional(),
  }),
  numeric: z.looseObject({
    columns: z.array(column),
    listLength: extent.nullable(),
    standardize: z.boolean(),
    missing: text,
    statistics: z.looseObject({ mean: z.array(z.number()), deviation: z.array(z.number()) }).nullable(),
  }),
  categorical: z.looseObject({ column, categories: z.array(text), encoding: z.enum(["one-hot", "index"]) }),
  tokens: z.looseObject({
    column,
    // a run keeps the tokens themselves: a file that it named would be read from wherever it says
    vocabulary: z.array(text),
    maxLength: z.number().int().min(1),
    unknown: text,
    split: z.enum(["whitespace", "characters"]),
    tokenizer: z
      .looseObject({
        file: text,
        digest,
        ids: count,
        truncationSide: side,
        specialTokens: z.boolean(),
        padding: z.looseObject({
          ...{ id: count, typeId: count, side, length: extent.nullable(), multiple: extent.nullable() },
        }),
      })
      .optional(),
  }),
};

/** Models that feed a run's network; of most runs none. */
export function externalsOf(runDir: string): Externals {
  return readRunConfig(runDir).externals ?? NO_EXTERNALS;
}

const inputs = z.record(text, ofKind(inputSpecs));
const shapes = z.array(z.looseObject({}));

const config = z.looseObject({
  formatVersion: z.literal(1),
  project: text,
  projectDir: text,
  configFile: text.nullable(),
  inputs,
  settings: z.looseObject({}),
  backend: text,
  dataDigest: text,
  // runs of the first version do not tell
  skipped: z.array(z.looseObject({ row: count, sample: text, reason: text })).default([]),
  transfer: z.looseObject({ from: text, taken: shapes, fresh: z.array(text) }).optional(),
  pretrained: z.array(z.looseObject({ model: text, digest: text, output: text })).optional(),
  externals: z
    .looseObject({
      parts: z.array(
        z.looseObject({
          ...{ name: text, input: text, model: text, output: text, format: z.enum(["onnx", "tfjs"]) },
          digest,
          shape: z.array(extent).min(1),
          preprocessing: z.looseObject({}),
        }),
      ),
      unread: z.array(text),
    })
    .optional(),
  adopted: z
    .looseObject({
      ...{ model: text, format: z.literal("onnx"), producer: text.nullable(), opset: count.nullable() },
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      inputs: z.record(text, text),
      outputs: z.record(text, text),
      preprocessing: z.looseObject({}),
    })
    .optional(),
});

const condition: z.ZodType = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("true"), task: text }),
    z.object({ kind: z.literal("isOneOf"), task: text, classes: z.array(count) }),
    z.object({ kind: z.literal("has"), task: text, label: count }),
    z.object({ kind: z.enum(["atLeast", "below"]), task: text, value: z.number() }),
    z.object({ kind: z.literal("not"), of: condition }),
    z.object({ kind: z.enum(["and", "or"]), of: z.array(condition) }),
  ]),
);

const common = {
  column: text.optional(),
  lossWeight: z.number().min(0).optional(),
  per: z.literal("token").optional(),
};
const pixels = z.number().int().min(1);
const element = {
  per: z.enum(["token", "pixel"]).optional(),
  ignore: z.number().optional(),
  size: z.tuple([pixels, pixels]).optional(),
};
/** Of tasks per pixel, too. */
const region = { loss: z.enum(["cross-entropy", "focal", "dice", "dice-cross-entropy"]).optional() };
const weights = z.array(z.number().positive());
const crossEntropy = {
  loss: z.enum(["cross-entropy", "focal"]).optional(),
  focus: z.number().min(0).optional(),
  labelSmoothing: z.number().min(0).lt(1).optional(),
  fittedWeights: weights.optional(),
};
const width = z
  .number()
  .int()
  .min(1)
  .max(1 << 20);

const taskSpecs: { readonly [K in TaskKind]: z.ZodType } = {
  binary: z.looseObject({
    ...{ ...common, ...element, ...crossEntropy, ...region },
    positiveWeight: z.union([z.number().positive(), z.literal("balanced")]).optional(),
  }),
  classification: z.looseObject({
    ...{ ...common, ...element, ...crossEntropy, ...region },
    colours: z.array(text).optional(),
    classes: z.array(text),
    classWeights: z.union([weights, z.literal("balanced")]).optional(),
  }),
  multilabel: z.looseObject({
    ...common,
    ...crossEntropy,
    positiveWeight: z.union([z.number().positive(), weights, z.literal("balanced")]).optional(),
    column: z.union([text, z.array(text)]).optional(),
    labels: z.array(text),
    delimiter: text.optional(),
  }),
  boundedRegression: z.looseObject({
    ...common,
    min: z.number(),
    max: z.number(),
    scale: z.enum(["image-width", "image-height"]).nullable(),
    measures: text.optional(),
    loss: z.enum(ERROR_LOSSES).optional(),
    delta: z.number().positive().optional(),
  }),
  regression: z.looseObject({
    ...{ ...common, ...element },
    loss: z.enum(ERROR_LOSSES),
    delta: z.number().positive().optional(),
    pixelUnit: z.number().positive().optional(),
    statistics: z.object({ mean: z.number(), deviation: z.number().positive() }),
  }),
  box: z.looseObject({
    column: z.array(text),
    lossWeight: z.number().min(0).optional(),
    format: z.enum(["xywh", "cxcywh", "xyxy"]),
    scale: z.enum(["image"]).nullable(),
    loss: z.enum(["smooth-l1", "giou"]),
    beta: z.number().positive().optional(),
    framed: z.literal(true).optional(),
  }),
  point: z.looseObject({
    column: z.array(text),
    lossWeight: z.number().min(0).optional(),
    scale: z.enum(["image"]).nullable(),
    beta: z.number().positive().optional(),
    framed: z.literal(true).optional(),
  }),
  ordinal: z.looseObject({ ...common, levels: z.array(text) }),
  maskedLanguageModeling: z.looseObject({
    input: text,
    maskRate: z.number(),
    evaluate: z.boolean(),
    vocabulary: z.array(text).nullable(),
  }),
  known: z.looseObject({ column: text.optional() }),
  custom: z.looseObject({
    ...common,
    type: text,
    digest: text,
    parts: z.record(text, text),
    logitWidth: width,
    answerWidth: width,
    gate: z.enum(["none", "bounds", "truth"]),
    head: z.enum(["dense", "custom"]),
    likelihood: z.enum(["gaussian", "categorical"]),
    higherIsBetter: z.record(text, z.boolean()),
    described: z.boolean(),
  }),
};

const graph = z.looseObject({
  formatVersion: z.literal(1),
  flow: text,
  features: z.array(text),
  tasks: z.array(
    z.looseObject({
      index: count,
      path: text.min(1),
      name: text,
      declaredName: text,
      feature: text.nullable(),
      spec: ofKind(taskSpecs),
      lossWeight: z.number().min(0),
      ownPrecondition: condition.nullable(),
      precondition: condition.nullable(),
      parent: text.nullable(),
    }),
  ),
  flows: z.array(
    z.looseObject({
      path: text,
      name: text,
      declaredName: text,
      ownPrecondition: condition.nullable(),
      firstTask: count,
      taskCount: count,
    }),
  ),
  contracts: z
    .array(
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("never"), condition }),
        z.object({ kind: z.literal("implies"), condition, consequence: condition }),
      ]),
    )
    .optional(),
});

const thresholds = z.record(text, z.union([z.number(), z.array(z.number())]));

const source = z.looseObject({
  formatVersion: count.optional(),
  commit: text.nullable(),
  branch: text.nullable(),
  dirty: z.boolean().nullable(),
  digest: text.nullable(),
  files: z.array(z.looseObject({ path: text, bytes: count, sha256: text })),
  kept: z.array(text).optional(),
});

/** One of several objects that their `kind` tells apart. */
function ofKind(schemas: Readonly<Record<string, z.ZodType>>): z.ZodType {
  return z.looseObject({ kind: text }).superRefine((value, context) => {
    const schema = Object.hasOwn(schemas, value.kind) ? schemas[value.kind] : undefined;
    if (schema === undefined) {
      const known = Object.keys(schemas).join(", ");
      context.addIssue({ code: "custom", path: ["kind"], message: `it is none of ${known}`, input: value.kind });
      return;
    }
    for (const { path, message } of schema.safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: "custom", path: [...path], message, input: value });
    }
  });
}

/** @throws StoreError, ConfigError that name the file and the key */
export function readRunConfig(runDir: string): RunConfig {
  const file = runFiles(runDir).config;
  const { settings, ...rest } = checked<RunConfig>(config, readJson(file), file);
  return { ...rest, skipped: rest.skipped ?? [], settings: parseSettings(settings, file) };
}

/** @throws StoreError that names the file and the key */
export function readGraph(runDir: string): FlowGraph {
  const file = runFiles(runDir).graph;
  return checkedGraph(readJson(file), file);
}

/** A flow in a document that may come from anywhere. @throws StoreError that names the file and the key */
export function checkedGraph(document: unknown, file: string): FlowGraph {
  const found = checked<FlowGraph>(graph, withCustomKind(document), file);
  checkFlow(found, file);
  return found;
}

/** Declared inputs in a document that may come from anywhere. @throws StoreError that names the file and the key */
export function checkedInputs(document: unknown, file: string): RunConfig["inputs"] {
  return checked<RunConfig["inputs"]>(inputs, document, file);
}

/** Until release 0.1 the kind of tasks that a user defines, and heads of their layers, were called `own`. */
function withCustomKind(document: unknown): unknown {
  const { tasks } = recordOf(document);
  if (!Array.isArray(tasks)) return document;
  return {
    ...recordOf(document),
    tasks: tasks.map((task: unknown) => {
      const spec = recordOf(recordOf(task).spec);
      if (spec.kind !== "own") return task;
      return { ...recordOf(task), spec: { ...spec, kind: "custom", head: spec.head === "own" ? "custom" : spec.head } };
    }),
  };
}

/** Thresholds by path of task, as in the JSON contract: a number, or one per label. */
export type ThresholdsByPath = Readonly<Record<string, number | readonly number[]>>;

/** @throws StoreError that names the file and the key */
export function readThresholdsByPath(runDir: string): ThresholdsByPath {
  const file = runFiles(runDir).thresholds;
  return checked<ThresholdsByPath>(thresholds, readJson(file), file);
}

/** @throws StoreError that names the file and the key */
export function readSource(runDir: string): SourceRecord {
  const file = runFiles(runDir).source;
  return checked<SourceRecord>(source, readJson(file), file);
}

/** The value as it is, so that what is compared or written again is what was read. */
export function checked<T>(schema: z.ZodType, value: unknown, file: string): T {
  const found = problemOf(schema, value);
  if (found === null) return value as T;
  throw brokenDocument(file, found.key, found.problem);
}

/** What holds between the parts of a flow, on which every walk over it relies. */
function checkFlow({ tasks, flows, features, contracts = [] }: FlowGraph, file: string): void {
  const earlier = new Map<string, TaskSpec>();
  tasks.forEach((task, i) => {
    const key = `tasks[${i}]`;
    const refuse = (part: string, problem: string): never => {
      throw brokenDocument(file, `${key}.${part}`, problem);
    };
    if (task.index !== i) refuse("index", `it is ${task.index}`);
    if (earlier.has(task.path)) refuse("path", `${JSON.stringify(task.path)} stands there twice`);
    if (task.feature !== null && !features.includes(task.feature)) refuse("feature", "it is none of the features");
    const problem = specProblem(task.spec);
    if (problem !== null) refuse("spec", problem);
    for (const part of ["ownPrecondition", "precondition"] as const) {
      const wrong = conditionProblem(task[part], earlier);
      if (wrong !== null) refuse(part, wrong);
    }
    if (task.parent !== null && !earlier.has(task.parent)) refuse("parent", "it is no earlier task");
    earlier.set(task.path, task.spec);
  });
  flows.forEach(({ firstTask, taskCount, ownPrecondition }, i) => {
    if (firstTask + taskCount > tasks.length)
      throw brokenDocument(file, `flows[${i}].taskCount`, "there are fewer tasks");
    const problem = conditionProblem(ownPrecondition, earlier);
    if (problem !== null) throw brokenDocument(file, `flows[${i}].ownPrecondition`, problem);
  });
  contracts.forEach((contract, i) => {
    const unknown = [...tasksOfContract(contract)].find((path) => !earlier.has(path));
    if (unknown !== undefined)
      throw brokenDocument(file, `contracts[${i}]`, `${JSON.stringify(unknown)} is no task of the flow`);
  });
}

function specProblem(spec: TaskSpec): string | null {
  // a custom task is known to this process only where its code is, and is checked by its digest
  if (isCustom(spec)) return null;
  try {
    return behaviourOf(spec).problemWith(spec);
  } catch (error) {
    if (error instanceof CoolError) return error.message;
    throw error;
  }
}

function conditionProblem(condition: Condition | null, earlier: ReadonlyMap<string, TaskSpec>): string | null {
  if (condition === null) return null;
  const unknown = [...gatesOf(condition)].find((path) => !earlier.has(path));
  return unknown === undefined ? null : `${JSON.stringify(unknown)} is no earlier task`;
}
