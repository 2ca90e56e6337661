/** @file A defined project → one that is ready to run: what an editor would have said of it is checked again. */
import { resolve } from "node:path";
import { assertTunable } from "../analysis/tune.js";
import type { InputSpec } from "../data/dataset.js";
import { withTokenizers } from "../data/tokenizers/resolve-tokenizers.js";
import type { TrunkFunction } from "../engine/model/network.js";
import { ConfigError, nearestNames, sentence, UnknownNameError, UsageError } from "../errors.js";
import { assertOwnNames, type Definitions } from "../flow/define.js";
import type { FlowGraph } from "../flow/graph.js";
import { traceFlow } from "../flow/trace.js";
import type { OpenRunLogger } from "../logging/run-logger.js";
import { checkedName } from "../storage/run-record.js";
import { behaviourOf, taskKinds } from "../tasks/index.js";
import { type CheckedAlert, checkAlerts } from "./alerts.js";
import { applyAssignments } from "./assignments.js";
import { checkAugmentation } from "./check-augmentation.js";
import type { Project, ProjectDefinition } from "./define-project.js";
import { checkMetrics } from "./metrics.js";
import { withFrames, withGeometry } from "./framed-pictures.js";
import { parseMonitor } from "./monitor.js";
import { withPixels } from "./elements/pixel-tasks.js";
import { parseSettings, type Settings } from "./settings.js";
import { checkTokenTasks, withVocabulary } from "./elements/token-tasks.js";

/** A project ready to run: traced, validated, settings complete. */
export interface LoadedProject {
  readonly name: string;
  /** Folder of the configuration; tables are relative to it. */
  readonly projectDir: string;
  /** null where the project was made by a program. */
  readonly configFile: string | null;
  /** Files of the configuration's modules, and package.json of the packages that they import; none of a program. */
  readonly modules: readonly string[];
  readonly graph: FlowGraph;
  /** Tasks that are declared and that the flow does not ask. */
  readonly unasked: readonly string[];
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly settings: Settings;
  /** `key=value` settings that won over the file's. */
  readonly assignments: readonly string[];
  readonly trunk: TrunkFunction;
  readonly prepare: ProjectDefinition["data"]["prepare"];
  /** Open the project's own listeners to a run. */
  readonly loggers: readonly OpenRunLogger[];
  /** What is said of a run on its way. */
  readonly alerts: readonly CheckedAlert[];
}

/** Traces and validates a project. */
export function resolveProject(
  project: Project,
  options: {
    readonly projectDir?: string;
    readonly configFile?: string | null;
    readonly modules?: readonly string[];
    readonly assignments?: readonly string[];
  } = {},
): LoadedProject {
  const { definition } = project;
  const configFile = options.configFile ?? null;
  const where = configFile ?? "the project";
  checkKeys(definition, where);
  checkName(definition.name, where);
  // "inputs" is an easy one to forget
  const { inputs: declared = {}, prepare, ...data } = definition.data;
  const { loggers = [], alerts = [], ...log } = definition.log ?? {};
  checkLoggers(loggers, where);
  const written = {
    data,
    ...(definition.train === undefined ? {} : { train: definition.train }),
    ...(definition.tune === undefined ? {} : { tune: definition.tune }),
    ...(definition.evaluate === undefined ? {} : { evaluate: definition.evaluate }),
    ...(definition.log === undefined ? {} : { log }),
  };
  const settings = settingsOf(written, options.assignments ?? [], where);
  if (Object.keys(declared).length === 0) {
    throw new ConfigError(
      `${where}: data.inputs is empty. Name one, e.g. inputs: { image: image({ column: "img", size: [64, 64] }) }.`,
      {
        file: where,
      },
    );
  }
  assertOwnNames("inputs", declared);
  for (const name of Object.keys(declared)) assertInputName(name, where);
  checkInputs(declared, where);
  const projectDir = resolve(options.projectDir ?? process.cwd());
  const inputs = withTokenizers(withGeometry(declared, projectDir), projectDir);
  if (typeof definition.trunk !== "function") {
    throw new ConfigError(`${where}: trunk is not a function of (inputs, layers).`, { file: where });
  }
  checkTasks(definition.tasks, where);
  const traced = withFrames(traceFlow(definition.tasks, definition.flow), inputs, where);
  const graph = withPixels(withVocabulary(traced, inputs), inputs, where);
  checkTokenTasks(graph, inputs, where);
  checkAugmentation(inputs, graph, settings, where);
  checkRunSettings(graph, settings);
  const watched = checkAlerts(alerts, graph, where);
  return {
    name: definition.name,
    projectDir,
    configFile,
    modules: options.modules ?? [],
    graph,
    unasked: Object.keys(definition.tasks.tasks).filter(
      (name) => !graph.tasks.some((task) => task.declaredName === name),
    ),
    inputs,
    settings,
    assignments: options.assignments ?? [],
    trunk: definition.trunk as TrunkFunction,
    prepare,
    loggers,
    alerts: watched,
  };
}

/**
 * What of the settings a run would refuse after its training, or on its way.
 * @throws UnknownNameError, ConfigError
 */
export function checkRunSettings(graph: FlowGraph, { train, tune, evaluate }: Settings): void {
  parseMonitor(graph, train.monitor);
  checkMetrics(graph, evaluate.metrics, "evaluate.metrics");
  assertTunable(graph, tune.metric, "tune.metric");
  const { replicas, batchSize } = train;
  if (replicas === "auto" || replicas <= batchSize) return;
  throw new ConfigError(
    `${replicas} replicas share batches of ${batchSize} rows, so some would have none. Take at most ${batchSize} replicas, or a larger train.batchSize.`,
    { replicas, batchSize },
  );
}

/** The network's input has this name, so it is one that TensorFlow.js takes. */
function assertInputName(name: string, where: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(name)) return;
  throw new ConfigError(
    `${where}: ${JSON.stringify(name)} cannot name an input. Use letters, digits, _, -, . and /, beginning with a letter or a digit.`,
    { file: where, name },
  );
}

/** Runs that are given no name are called after the project. */
function checkName(name: unknown, where: string): void {
  const facts = { file: where, keys: ["name"] };
  if (typeof name !== "string") throw new ConfigError(`${where}: the name of the project is no text.`, facts);
  try {
    checkedName("name of a project", name);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${where}: ${problem}`, facts, { cause: error });
  }
}

const INPUT_KINDS = Object.keys({
  image: true,
  numeric: true,
  categorical: true,
  tokens: true,
} satisfies Record<InputSpec["kind"], true>);

function checkInputs(inputs: Readonly<Record<string, unknown>>, where: string): void {
  for (const [name, spec] of Object.entries(inputs)) {
    const isSpec = typeof spec === "object" && spec !== null && "kind" in spec;
    if (isSpec && INPUT_KINDS.includes(String(spec.kind))) continue;
    throw new ConfigError(
      `${where}: data.inputs.${name} is no input. Write e.g. ${name}: numeric({ columns: ["age"] }), or one of ${INPUT_KINDS.join(", ")}.`,
      { file: where, keys: [`data.inputs.${name}`] },
    );
  }
}

/** They are functions, and no settings: a run cannot be repeated from what is stored of them. */
function checkLoggers(loggers: readonly unknown[], where: string): void {
  const wrong = Array.isArray(loggers) ? loggers.find((open) => typeof open !== "function") : loggers;
  if (wrong === undefined) return;
  throw new ConfigError(
    `${where}: log.loggers is a list of functions (run) => logger, e.g. loggers: [(run) => ({ epoch: ({ trainLoss }) => console.log(run.name, trainLoss) })].`,
    { file: where, keys: ["log.loggers"] },
  );
}

const DEFINITION_KEYS = Object.keys({
  name: true,
  tasks: true,
  flow: true,
  data: true,
  trunk: true,
  train: true,
  tune: true,
  evaluate: true,
  log: true,
} satisfies Record<keyof ProjectDefinition, true>);

/** What the compiler checks in an editor, for a configuration that was never compiled. */
function checkKeys(definition: ProjectDefinition, where: string): void {
  const unknown = Object.keys(definition).find((key) => !DEFINITION_KEYS.includes(key));
  if (unknown !== undefined) {
    const [nearest] = nearestNames(unknown, DEFINITION_KEYS);
    const hint = nearest === undefined ? `known: ${DEFINITION_KEYS.join(", ")}` : `did you mean "${nearest}"?`;
    throw new ConfigError(sentence(`${where}: "${unknown}" is not a key of defineProject; ${hint}`), {
      file: where,
      keys: [unknown],
    });
  }
  const missing = (["name", "tasks", "flow", "data", "trunk"] as const).find((key) => definition[key] === undefined);
  if (missing !== undefined) {
    throw new ConfigError(`${where}: defineProject has no "${missing}". Add it.`, { file: where, keys: [missing] });
  }
}

/** Settings of the file with those of `--set`; a wrong one is blamed on where it was written. */
function settingsOf(written: object, assignments: readonly string[], where: string): Settings {
  const assigned = applyAssignments(written, assignments);
  try {
    return parseSettings(assigned, where);
  } catch (error) {
    parseSettings(written, where);
    const { message, facts } = error as ConfigError;
    throw new UsageError(message.replace(where, "--set"), { ...facts, file: undefined, assignments });
  }
}

function checkTasks(definitions: Definitions, where: string): void {
  for (const [name, spec] of Object.entries(definitions.tasks)) {
    if (!taskKinds.includes(spec.kind)) throw new UnknownNameError("kind of task", String(spec.kind), taskKinds, where);
    const problem = behaviourOf(spec).problemWith(spec);
    if (problem !== null) throw new ConfigError(`${where}: the task "${name}" ${problem}.`, { task: name });
    if (spec.lossWeight !== undefined && !(spec.lossWeight >= 0 && Number.isFinite(spec.lossWeight))) {
      throw new ConfigError(`${where}: the task "${name}" has lossWeight ${spec.lossWeight}; it must be 0 or more.`, {
        task: name,
      });
    }
  }
}
