/** @file Finds and runs the configuration of a project. */
import { existsSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { ConfigError, CoolError, messageOf, sentence, UsageError } from "../errors.js";
import type { ImportedConfig } from "./config-modules.js";
import type { Project } from "./define-project.js";
import { assertRunnable, CONFIG_FILES, configFileIn } from "./project-dir.js";
import { type LoadedProject, resolveProject } from "./resolve-project.js";

/**
 * Loads and checks the project in a folder.
 * @param assignments `key=value` settings that win over the file's
 */
export async function loadProject(dir: string, assignments: readonly string[] = []): Promise<LoadedProject> {
  if (!existsSync(dir)) throw new UsageError(`There is no folder ${dir}.`, { dir });
  const direct = statSync(dir).isFile() ? dir : configFileIn(dir);
  if (direct === undefined) {
    throw new ConfigError(
      `There is no ${CONFIG_FILES[0]} in ${dir}. Make one with cool init, or name another folder.`,
      {
        dir,
      },
    );
  }
  const file = resolve(direct);
  const { exported, modules } = await importConfig(file);
  if (!isProject(exported)) {
    throw new ConfigError(`${file} does not export a project. End it with: export default defineProject({ … }).`, {
      file,
    });
  }
  try {
    return resolveProject(exported, { projectDir: dirname(file), configFile: file, modules, assignments });
  } catch (error) {
    throw error instanceof CoolError ? inFile(error, file) : thrownIn(file, error, modules);
  }
}

/**
 * Runs a configuration.
 * @returns what it exports by default, and the files that it was made of
 * @throws ConfigError where it cannot be loaded, or lies in a run store
 */
export async function importConfig(file: string): Promise<ImportedConfig> {
  assertRunnable(file);
  const [{ importNoting }, api] = await Promise.all([import("./config-modules.js"), import("./authoring.js")]);
  try {
    // the running package answers to its name, also where the project has not installed it
    return await importNoting(file, { "dnn-cool": api });
  } catch (error) {
    if (error instanceof CoolError) throw inFile(error, file);
    throw thrownIn(file, error, [file]);
  }
}

/**
 * Lets the project prepare its data.
 * @throws ConfigError with the file and the line, where `data.prepare` throws
 */
export async function prepareData(
  { prepare, projectDir, configFile, modules }: LoadedProject,
  log: (line: string) => void,
): Promise<void> {
  try {
    await prepare?.({ projectDir, log });
  } catch (error) {
    throw error instanceof CoolError
      ? error
      : thrownIn(configFile ?? "the project", error, modules, ": data.prepare fails");
  }
}

/** What a module of the configuration threw, with the line where it did. */
function thrownIn(
  file: string,
  error: unknown,
  modules: readonly string[],
  problem = " cannot be loaded",
): ConfigError {
  const reason = messageOf(error).replaceAll(/\s*\n\s*/g, " ");
  const { text, facts } = placeOf(error, file, modules);
  return new ConfigError(sentence(`${text}${problem}: ${reason}`), facts, { cause: error });
}

/** Where in the configuration an error arose: its file, and the line where its stack tells. */
function placeOf(error: unknown, file: string, modules: readonly string[]) {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const isOfProject = (path: string): boolean =>
    modules.includes(path) || (path.startsWith(`${dirname(file)}${sep}`) && !path.includes(`${sep}node_modules${sep}`));
  const [, where, line] =
    [...stack.matchAll(/(?:file:\/\/)?(\/[^():\n]+|[A-Za-z]:\\[^():\n]+):(\d+):\d+/g)].find(([, path = ""]) =>
      isOfProject(path),
    ) ?? [];
  if (where === undefined || line === undefined) return { text: file, facts: { file } };
  const text = `${file}, ${where === file ? "" : `${where}, `}line ${line}`;
  return { text, facts: { file, line: Number(line), module: where } };
}

/** The same error, naming the file first, and the line where a function of the configuration led to it. */
export function inFile(error: CoolError, file: string): CoolError {
  // what is wrong with a flag is not the file's fault
  if (error instanceof UsageError || error.message.startsWith(file)) return error;
  const { text, facts } = placeOf(error.cause ?? error, file, []);
  return new ConfigError(`${text}: ${error.message}`, { ...facts, ...error.facts }, { cause: error });
}

function isProject(value: unknown): value is Project {
  const definition = (value as Partial<Project> | null | undefined)?.definition;
  return typeof definition === "object" && definition !== null && "tasks" in definition;
}
