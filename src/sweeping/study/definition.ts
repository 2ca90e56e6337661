/** @file What a study searches and how: as a sweep file says it, and as the store keeps it. */
import { z } from "zod";
import { nearestNames, StoreError, UsageError } from "../../errors.js";
import { problemOf } from "../../platform/document-problem.js";
import { EVALUATED_GATES, SPLITS } from "../../tasks/evaluation.js";
import { checkedRange } from "../space/parse-set.js";
import type { Parameter } from "../space/space.js";

export const SEARCHES = ["grid", "random", "sobol", "tpe"] as const;
export const PRUNINGS = ["asha", "median"] as const;

const whenSchema = z.record(z.string(), z.array(z.json()));

const parameterSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...{ kind: z.literal("choice"), name: z.string(), when: whenSchema.nullable() },
    choices: z.array(z.json()).min(1),
  }),
  z.strictObject({
    ...{ kind: z.literal("range"), name: z.string(), when: whenSchema.nullable() },
    ...{ low: z.number(), high: z.number(), log: z.boolean(), step: z.number().nullable() },
  }),
]);

const objectiveSchema = z.strictObject({
  split: z.enum(SPLITS),
  taskPath: z.string(),
  metricName: z.string(),
  gates: z.enum(EVALUATED_GATES as readonly ["truth", "predicted", "end_to_end"]),
  direction: z.enum(["minimize", "maximize"]),
});

const pruneSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("asha"), reduction: z.number().min(2), minEpochs: z.int().min(1) }),
  z.strictObject({ kind: z.literal("median"), startup: z.int().min(1), minEpochs: z.int().min(1) }),
]);

const definitionSchema = z.strictObject({
  formatVersion: z.literal(1),
  space: z.array(parameterSchema),
  /** `key=value` settings of all trials. */
  fixed: z.array(z.string()),
  search: z.enum(SEARCHES),
  seed: z.int(),
  prune: pruneSchema.nullable(),
  objectives: z.array(objectiveSchema).min(1),
});

export type Objective = z.infer<typeof objectiveSchema>;
export type PruneConfig = z.infer<typeof pruneSchema>;
export type StudyDefinition = z.infer<typeof definitionSchema> & { readonly space: readonly Parameter[] };

/** @throws StoreError where the store's text is no definition of this version */
export function parseDefinition(json: string, study: string): StudyDefinition {
  const document: unknown = JSON.parse(json);
  const wrong = problemOf(definitionSchema, document);
  if (wrong === null) return definitionSchema.parse(document) as StudyDefinition;
  throw new StoreError(`The study ${study} is not one as this dnn-cool writes it: ${wrong.key}: ${wrong.problem}.`, {
    study,
    key: wrong.key,
  });
}

const valueOrValues = z.union([z.array(z.json()), z.json()]);
const whenInFile = z.record(z.string(), valueOrValues).optional();
const parameterInFile = z.union([
  z.array(z.json()).min(1),
  z.strictObject({ choices: z.array(z.json()).min(1), when: whenInFile }),
  z.strictObject({
    ...{ low: z.number(), high: z.number(), log: z.boolean().optional(), step: z.number().optional() },
    when: whenInFile,
  }),
]);

const fileSchema = z.strictObject({
  parameters: z.record(z.string(), z.unknown()),
  /** Settings of all trials. */
  set: z.record(z.string(), z.json()).optional(),
  search: z.enum(SEARCHES).optional(),
  prune: z.union([z.enum(PRUNINGS), pruneSchema]).optional(),
  objective: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  trials: z.int().min(1).optional(),
  seed: z.int().optional(),
  name: z.string().optional(),
});

/** A sweep file, checked. */
export interface SweepFile extends Omit<z.infer<typeof fileSchema>, "parameters" | "set"> {
  readonly parameters: readonly Parameter[];
  readonly fixed: readonly string[];
}

/**
 * @param file its path, for messages
 * @throws UsageError that names the key
 */
export function parseSweepFile(document: unknown, file: string): SweepFile {
  const wrong = problemOf(fileSchema, document);
  if (wrong !== null) {
    const unknown = /"([^"]+)"/.exec(wrong.problem)?.[1] ?? "";
    const [near] = /nrecognized/.test(wrong.problem) ? nearestNames(unknown, Object.keys(fileSchema.shape)) : [];
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new UsageError(
      `${file}: ${wrong.key === "" ? "" : `${wrong.key}: `}${wrong.problem}.${hint} See docs/sweep.md.`,
      {
        ...{ file, key: wrong.key },
      },
    );
  }
  const { parameters, set = {}, ...rest } = fileSchema.parse(document);
  return {
    ...rest,
    parameters: Object.entries(parameters).map(([name, spec]) => parameterOf(name, spec, file)),
    fixed: Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
  };
}

function parameterOf(name: string, spec: unknown, file: string): Parameter {
  const parsed = parameterInFile.safeParse(spec).data;
  if (parsed === undefined) {
    throw new UsageError(
      `${file}: the parameter ${name} is neither a list of values nor {low, high} with log, step or when, nor {choices} with when.`,
      { file, parameter: name },
    );
  }
  if (Array.isArray(parsed)) return { kind: "choice", name, choices: parsed, when: null } as Parameter;
  const { when: conditions, ...own } = parsed as Exclude<typeof parsed, readonly unknown[]>;
  const when =
    conditions === undefined
      ? null
      : Object.fromEntries(
          Object.entries(conditions).map(([key, value]) => [key, Array.isArray(value) ? value : [value]]),
        );
  if ("choices" in own) return { kind: "choice", name, choices: own.choices, when } as Parameter;
  const { low, high, log = false, step = null } = own;
  return checkedRange(
    { kind: "range", name, low, high, log, step, when } as Parameter & { kind: "range" },
    `${file}: ${name}`,
  );
}
