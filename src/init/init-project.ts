/** @file `cool init`: from a table, a folder or a template to a project that runs. */
import { DataError, UsageError } from "../errors.js";
import type { Condition } from "../flow/graph.js";
import { conditionWords } from "./conditions.js";
import { configText } from "./config-text.js";
import { type ColumnRole, type ColumnWishes, guessColumns, type UnclearRole } from "./guess-columns.js";
import {
  assertWritable,
  frameFiles,
  type NewFile,
  projectName,
  type WrittenFile,
  writeFiles,
} from "./project-files.js";
import { type Proposal, propose } from "./proposal.js";
import type { OpenedSource } from "./source.js";

/** What is going to be written, and why. */
export interface ProjectPlan {
  readonly proposal: Proposal;
  readonly files: readonly NewFile[];
}

/**
 * Roles of all columns, none of them unclear.
 * @throws UsageError that says of each column that may be several things by which flags to say it
 */
export function clearRoles(source: OpenedSource, wishes: ColumnWishes): ColumnRole[] {
  const roles = guessColumns(source.table, wishes, source.masks);
  const unclear = roles.filter((role) => role.role === "unclear");
  if (unclear.length > 0) throw unclearError(source, unclear);
  return roles;
}

const SHOWN = 6;

function unclearError({ table }: OpenedSource, unclear: readonly UnclearRole[]): UsageError {
  const told = unclear
    .slice(0, SHOWN)
    .map(
      ({ column, why, flags }) => `"${column}": ${why} (${[...flags, ignoreFlag(flags)].filter(Boolean).join(", ")})`,
    );
  const rest = unclear.length > SHOWN ? `; and ${unclear.length - SHOWN} more` : "";
  const few = unclear.length === 1 ? "One column" : `${unclear.length} columns`;
  return new UsageError(
    `${few} of ${table.file} cannot be told apart from inputs or questions by what ${unclear.length === 1 ? "it holds" : "they hold"}. Say what ${unclear.length === 1 ? "it is" : "they are"} with flags: ${told.join("; ")}${rest}. Where one question is named with --task, the others are taken for inputs.`,
    { file: table.file, unclear: unclear.map(({ column, why, flags }) => ({ column, why, flags })) },
  );
}

/** Leaving it out can always be said. */
function ignoreFlag(flags: readonly string[]): string {
  return flags.some((flag) => flag.startsWith("--ignore")) ? "" : "--ignore …";
}

/** Proposes a project for a table whose columns are clear. Writes nothing. */
export async function planProject(source: OpenedSource, roles: readonly ColumnRole[]): Promise<ProjectPlan> {
  const proposal = await propose(source, roles);
  const { projectDir } = source;
  const vocabularies = proposal.inputs.flatMap((input): NewFile[] =>
    input.kind === "tokens"
      ? [{ path: input.file, content: `${input.vocabulary.tokens.join("\n")}\n`, where: "refuse" }]
      : [],
  );
  for (const input of proposal.inputs) {
    if (input.kind !== "tokens" || input.vocabulary.tokens.length > 0) continue;
    throw new DataError(
      `The column "${input.columns[0]}" of ${source.table.file} has no tokens. Leave it out with --ignore.`,
      {
        column: input.columns[0],
      },
    );
  }
  // the configuration last: without it there is no project
  const config: NewFile = {
    path: "cool.config.ts",
    content: configText(projectName(projectDir), proposal),
    where: "refuse",
  };
  return { proposal, files: [...frameFiles(projectDir), ...source.files, ...vocabularies, config] };
}

/** @throws as `assertWritable` does, before anything is written */
export async function writeProject(
  projectDir: string,
  { files }: ProjectPlan,
  options: { readonly force: boolean },
): Promise<WrittenFile[]> {
  await assertWritable(projectDir, files, options);
  return writeFiles(projectDir, files, options);
}

/** A proposal as `--json` prints it. */
export function proposalJson({ source, rows, columns, tasks, inputs, split, gates, backbone }: Proposal) {
  const words = (condition: Condition) => conditionWords(condition, gates);
  return {
    table: source,
    rows,
    split,
    ...(backbone === null
      ? {}
      : { pretrained: { model: backbone.model, output: backbone.output, size: backbone.size } }),
    columns: columns.map((role) => ({
      column: role.column,
      role: role.role,
      ...(role.role === "ignored" ? { why: role.why } : {}),
    })),
    inputs: inputs.map(({ name, kind, columns: own }) => ({ name, kind, columns: own })),
    tasks: tasks.map(({ name, column, role, isKnown, figure, given, mined }) => ({
      ...{ name, columns: figure?.columns ?? [column], kind: isKnown ? "known" : (figure?.kind ?? role.kind) },
      given: given === null ? null : words(given),
      labels: mined.filled,
      ...(given === null ? {} : { active: mined.active, held: mined.held }),
      equivalent: mined.equivalent.map(words),
      nearly: mined.nearly.map(words),
      // rows count from 1
      almost: mined.almost.map(({ condition, exceptions }) => ({
        given: words(condition),
        exceptions: exceptions.map((row) => row + 1),
      })),
    })),
  };
}
