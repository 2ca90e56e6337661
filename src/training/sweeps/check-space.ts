/** @file The space of a sweep against the project: every value is one that its setting takes. */
import { dirname } from "node:path";
import { CoolError, messageOf, UnknownNameError, UsageError } from "../../errors.js";
import type { Project } from "../../project/define-project.js";
import { importConfig } from "../../project/load-project.js";
import { type LoadedProject, resolveProject } from "../../project/resolve-project.js";
import { isActive, type Parameter, type ParameterValue, type Space } from "../../sweeping/space/space.js";

/** Of more choices only so many are tried. */
const MOST_TRIED = 50;

/** Takes settings as assignments and throws where the project does not. */
type TrySettings = (assignments: readonly string[]) => void;

/**
 * Tries the ends of ranges and the choices, each with the conditions under which it applies.
 * @returns the space, with whole numbers where a setting takes no others
 * @throws UsageError that names the parameter and says what the project has against its value
 */
export async function checkSpace(project: LoadedProject, space: Space): Promise<Space> {
  const attempt = await attemptsOf(project);
  return space.map((parameter) => {
    const given = conditionsOf(space, parameter);
    const isTaken = (value: ParameterValue): CoolError | null =>
      problemWith(attempt, [...given, set(parameter.name, value)]);
    const tried =
      parameter.kind === "choice" ? parameter.choices.slice(0, MOST_TRIED) : [parameter.low, parameter.high];
    for (const value of tried) {
      const problem = isTaken(value);
      if (problem === null) continue;
      if (problem instanceof UnknownNameError) throw problem;
      throw new UsageError(`The sweep cannot set ${set(parameter.name, value)}: ${messageOf(problem)}`, {
        ...{ ...problem.facts, parameter: parameter.name, value },
      });
    }
    return parameter.kind === "range" ? withWholeNumbers(parameter, isTaken) : parameter;
  });
}

function withWholeNumbers(
  parameter: Parameter & { readonly kind: "range" },
  isTaken: (value: number) => CoolError | null,
): Parameter {
  const { low, high, step } = parameter;
  if (step !== null || !Number.isInteger(low) || !Number.isInteger(high)) return parameter;
  return isTaken(low + 0.381966 * (high - low)) === null ? parameter : { ...parameter, step: 1 };
}

/** Settings under which a parameter applies. */
function conditionsOf(space: Space, parameter: Parameter): string[] {
  if (isActive(parameter, {})) return [];
  return Object.entries(parameter.when ?? {}).flatMap(([name, [value = null]]) => {
    const other = space.find((one) => one.name === name);
    return [...(other === undefined ? [] : conditionsOf(space, other)), set(name, value)];
  });
}

export function set(name: string, value: ParameterValue): string {
  return `${name}=${JSON.stringify(value)}`;
}

function problemWith(attempt: TrySettings, assignments: readonly string[]): CoolError | null {
  try {
    attempt(assignments);
    return null;
  } catch (error) {
    if (error instanceof CoolError) return error;
    throw error;
  }
}

/** The configuration is run once, however many values are tried. */
async function attemptsOf({ configFile, modules, assignments }: LoadedProject): Promise<TrySettings> {
  if (configFile === null) throw new UsageError("A sweep needs a project with a configuration file.");
  const { exported } = await importConfig(configFile);
  const options = { projectDir: dirname(configFile), configFile, modules };
  return (more) => {
    // loaded before, so that it is a project
    resolveProject(exported as Project, { ...options, assignments: [...assignments, ...more] });
  };
}
