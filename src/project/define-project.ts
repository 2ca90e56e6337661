/** @file A project as its configuration defines it: what the compiler checks there. */
import type { InputSpec } from "../data/dataset.js";
import type { Layers, SymbolicTensor } from "../engine/model/network.js";
import type { TaskDefinitions } from "../flow/define.js";
import type { TaskSpec } from "../flow/graph.js";
import type { OpenRunLogger } from "../logging/run-logger.js";
import type { Alert } from "./alerts.js";
import type { SettingsInput } from "./settings.js";

type TaskMap = Readonly<Record<string, TaskSpec>>;

/** What `cool.config.ts` exports by default. */
export interface ProjectDefinition<
  Feature extends string = string,
  Tasks extends TaskMap = TaskMap,
  Flow extends string = string,
  Inputs extends Readonly<Record<string, InputSpec>> = Readonly<Record<string, InputSpec>>,
  Output extends string = Feature,
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
  /**
   * Builds the trunk once from the named inputs: one output [batch, n] per declared feature. `specs` are the inputs
   * once the data has been read, with their vocabularies.
   */
  readonly trunk: (
    inputs: { readonly [Name in keyof Inputs]: SymbolicTensor },
    layers: Layers,
    specs: { readonly [Name in keyof Inputs]: Inputs[Name] },
  ) => { readonly [Name in Feature]: SymbolicTensor } & {
    // refuses what is no feature: return values are not checked for excess keys
    readonly [Name in Output]: Name extends Feature ? SymbolicTensor : never;
  };
  readonly train?: SettingsInput["train"];
  readonly tune?: SettingsInput["tune"];
  readonly evaluate?: SettingsInput["evaluate"];
  readonly log?: SettingsInput["log"] & {
    /** Your own listeners beside the console, TensorBoard and the store: each is opened for every run. */
    readonly loggers?: readonly OpenRunLogger[];
    /** Conditions on curves that are said, and may start a command, while a run trains. */
    readonly alerts?: readonly Alert[];
  };
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
  Output extends string = Feature,
>(definition: ProjectDefinition<Feature, Tasks, Flow, Inputs, Output>): Project {
  return { definition: definition as unknown as ProjectDefinition };
}
