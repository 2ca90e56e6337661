/** @file Finds and runs the configuration of a project. */
import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError, CoolError, sentence, UsageError } from "../errors.js";
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
      `There is no ${CONFIG_FILES[0]} in ${dir}. Write one (see the README) or name another folder.`,
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

/** What a module of the configuration threw, with the line where it did. */
function thrownIn(file: string, error: unknown, modules: readonly string[]): ConfigError {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const reason = message.replaceAll(/\s*\n\s*/g, " ");
  const [, where, line] =
    [...stack.matchAll(/(?:file:\/\/)?(\/[^():\n]+|[A-Za-z]:\\[^():\n]+):(\d+):\d+/g)].find(
      ([, path = ""]) => modules.includes(path) || path.startsWith(dirname(file)),
    ) ?? [];
  const place = where === undefined || line === undefined ? "" : `, ${where === file ? "" : `${where}, `}line ${line}`;
  const facts = { file, ...(line === undefined ? {} : { line: Number(line), module: where }) };
  return new ConfigError(sentence(`${file}${place} cannot be loaded: ${reason}`), facts, { cause: error });
}

/** The same error, naming the file first. */
export function inFile(error: CoolError, file: string): CoolError {
  // what is wrong with a flag is not the file's fault
  return error instanceof UsageError || error.message.startsWith(file)
    ? error
    : new ConfigError(`${file}: ${error.message}`, { file, ...error.facts }, { cause: error });
}

function isProject(value: unknown): value is Project {
  const definition = (value as Partial<Project> | null | undefined)?.definition;
  return typeof definition === "object" && definition !== null && "tasks" in definition;
}
