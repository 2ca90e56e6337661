/** @file A user's project: its definition, and how it is found and loaded. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { InputSpec } from "../data/dataset.js";
import type { Layers, SymbolicTensor, TrunkFunction } from "../engine/network.js";
import { ConfigError, CoolError, UnknownNameError } from "../errors.js";
import { type Definitions, type TaskDefinitions, traceFlow } from "../flow/define.js";
import type { FlowGraph, TaskSpec } from "../flow/graph.js";
import { behaviourOf, taskKinds } from "../tasks/index.js";
import { applyAssignments, parseSettings, type Settings, type SettingsInput } from "./settings.js";

type TaskMap = Readonly<Record<string, TaskSpec>>;

/** What `cool.config.ts` exports by default. */
export interface ProjectDefinition<
  Feature extends string = string,
  Tasks extends TaskMap = TaskMap,
  Flow extends string = string,
  Inputs extends Readonly<Record<string, InputSpec>> = Readonly<Record<string, InputSpec>>,
> {
  readonly name: string;
  readonly tasks: TaskDefinitions<Feature, Tasks, Flow>;
  /** The flow to train; others only count where it uses them. */
  readonly flow: NoInfer<Flow>;
  readonly data: SettingsInput["data"] & {
    readonly inputs: Inputs;
    /** Runs before the table is read, e.g. to make or fetch it on first use. */
    readonly prepare?: (context: { readonly projectDir: string; readonly log: (line: string) => void }) => unknown;
  };
  /** Builds the trunk once from the named inputs: one output [batch, n] per declared feature. */
  readonly trunk: (
    inputs: { readonly [Name in keyof Inputs]: SymbolicTensor },
    layers: Layers,
  ) => { readonly [Name in Feature]: SymbolicTensor };
  readonly train?: SettingsInput["train"];
  readonly tune?: SettingsInput["tune"];
  readonly log?: SettingsInput["log"];
}

/** A definition whose names the compiler has checked. */
export interface Project {
  readonly definition: ProjectDefinition;
}

/** Checks names at compile time; the same checks run again when the project is loaded. */
export function defineProject<
  Feature extends string,
  Tasks extends TaskMap,
  Flow extends string,
  const Inputs extends Readonly<Record<string, InputSpec>>,
>(definition: ProjectDefinition<Feature, Tasks, Flow, Inputs>): Project {
  return { definition: definition as unknown as ProjectDefinition };
}

/** A project ready to run: traced, validated, settings complete. */
export interface LoadedProject {
  readonly name: string;
  /** Folder of the configuration; tables are relative to it. */
  readonly projectDir: string;
  /** null where the project was made by a program. */
  readonly configFile: string | null;
  readonly graph: FlowGraph;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly settings: Settings;
  readonly trunk: TrunkFunction;
  readonly prepare: ProjectDefinition["data"]["prepare"];
}

const CONFIG_FILES = ["cool.config.ts", "cool.config.mts", "cool.config.js", "cool.config.mjs"];

/**
 * The folder with a `cool.config.*`: `from` itself or the nearest one above it.
 * @throws ConfigError if there is none
 */
export function findProjectDir(from: string): string {
  const start = resolve(from);
  for (let dir = start; ; dir = dirname(dir)) {
    if (configFileIn(dir) !== undefined) return dir;
    if (dir === dirname(dir)) break;
  }
  throw new ConfigError(
    `No ${CONFIG_FILES[0]} in ${start} or above it. Go to a project's folder, name it with --project, or write a ${CONFIG_FILES[0]} (see the README).`,
    { dir: start },
  );
}

function configFileIn(dir: string): string | undefined {
  return CONFIG_FILES.map((name) => join(dir, name)).find((file) => existsSync(file));
}

/**
 * Loads and checks the project in a folder.
 * @param assignments `key=value` settings that win over the file's
 */
export async function loadProject(dir: string, assignments: readonly string[] = []): Promise<LoadedProject> {
  if (!existsSync(dir)) throw new ConfigError(`There is no folder ${dir}.`, { dir });
  const direct = statSync(dir).isFile() ? dir : configFileIn(dir);
  if (direct === undefined) {
    throw new ConfigError(
      `There is no ${CONFIG_FILES[0]} in ${dir}. Write one (see the README) or name another folder.`,
      {
        dir,
      },
    );
  }
  const file = resolve(direct);
  const exported = await importConfig(file);
  if (!isProject(exported)) {
    throw new ConfigError(`${file} does not export a project. End it with: export default defineProject({ … }).`, {
      file,
    });
  }
  try {
    return resolveProject(exported, { projectDir: dirname(file), configFile: file, assignments });
  } catch (error) {
    throw error instanceof CoolError ? inFile(error, file) : error;
  }
}

async function importConfig(file: string): Promise<unknown> {
  const [{ createJiti }, api] = await Promise.all([import("jiti"), import("../index.js")]);
  // the running package answers to its name, also where the project has not installed it
  const jiti = createJiti(import.meta.url, { virtualModules: { "dnn-cool": api }, moduleCache: false, fsCache: false });
  try {
    return await jiti.import(file, { default: true });
  } catch (error) {
    if (error instanceof CoolError) throw inFile(error, file);
    throw new ConfigError(`${file} cannot be loaded: ${(error as Error).message}`, { file }, { cause: error });
  }
}

/** The same error, naming the file first. */
function inFile(error: CoolError, file: string): CoolError {
  return error.message.startsWith(file)
    ? error
    : new ConfigError(`${file}: ${error.message}`, { file, ...error.facts }, { cause: error });
}

function isProject(value: unknown): value is Project {
  const definition = (value as Partial<Project> | null | undefined)?.definition;
  return typeof definition === "object" && definition !== null && "tasks" in definition;
}

/** Traces and validates a project. */
export function resolveProject(
  project: Project,
  options: {
    readonly projectDir?: string;
    readonly configFile?: string | null;
    readonly assignments?: readonly string[];
  } = {},
): LoadedProject {
  const { definition } = project;
  const configFile = options.configFile ?? null;
  const where = configFile ?? "the project";
  const { inputs, prepare, ...data } = definition.data;
  const written = {
    data,
    ...(definition.train === undefined ? {} : { train: definition.train }),
    ...(definition.tune === undefined ? {} : { tune: definition.tune }),
    ...(definition.log === undefined ? {} : { log: definition.log }),
  } as SettingsInput;
  const settings = parseSettings(applyAssignments(written, options.assignments ?? []), where);
  if (Object.keys(inputs).length === 0) {
    throw new ConfigError(
      `${where}: data.inputs is empty. Name one, e.g. inputs: { image: image({ column: "img", size: [64, 64] }) }.`,
      {
        file: where,
      },
    );
  }
  if (typeof definition.trunk !== "function") {
    throw new ConfigError(`${where}: trunk is not a function of (inputs, layers).`, { file: where });
  }
  checkTasks(definition.tasks, where);
  return {
    name: definition.name,
    projectDir: resolve(options.projectDir ?? process.cwd()),
    configFile,
    graph: traceFlow(definition.tasks, definition.flow),
    inputs,
    settings,
    trunk: definition.trunk as TrunkFunction,
    prepare,
  };
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
