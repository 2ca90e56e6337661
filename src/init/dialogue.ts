/** @file What init asks a person: what there is to begin with, what unclear columns are, and whether the rest is right. */
import { CoolError } from "../errors.js";
import { type ColumnRole, type ColumnWishes, guessColumns, type UnclearRole } from "./guess-columns.js";
import { planProject, type ProjectPlan } from "./init-project.js";
import { type OpenedSource, openSource, type SourceOptions } from "./source.js";
import { summaryLines } from "./summary.js";
import { TEMPLATES } from "./templates.js";
import { TASK_KINDS } from "./task-role.js";
import { withAnswer, withWish } from "./wishes.js";

/** What can be answered of a column. */
const WHAT = [`  asked: ${TASK_KINDS.join(", ")}`, "  seen: input, image", "  neither: ignore"];

/** Who is asked, and told. */
export interface Person {
  /** A line, without spaces around it. */
  readonly ask: (question: string) => Promise<string>;
  readonly say: (line: string) => void;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Opens what the user named; where that leads nowhere, asks what there is. */
export async function askSource(options: SourceOptions, person: Person): Promise<OpenedSource> {
  let asked = options;
  for (;;) {
    try {
      return await openSource(asked);
    } catch (error) {
      // what was typed on the command line is wrong usage
      if (!(error instanceof CoolError) || options.path !== undefined || options.template !== undefined) throw error;
      person.say(error.message);
    }
    const answer = await person.ask(`A table, a folder, or a template (${TEMPLATES.join(", ")}): `);
    const template = TEMPLATES.find((name) => name === answer);
    asked =
      answer === ""
        ? options
        : { projectDir: options.projectDir, ...(template === undefined ? { path: answer } : { template }) };
  }
}

/** Shows what is proposed until the person takes it. */
export async function askPlan(source: OpenedSource, wishes: ColumnWishes, person: Person): Promise<ProjectPlan> {
  let said = wishes;
  for (;;) {
    const asked = await askRoles(source, said, person);
    said = asked.wishes;
    const plan = await attempt(() => planProject(source, asked.roles), person);
    if (plan !== null)
      for (const line of summaryLines(source.table.file, plan.proposal, person.width)) person.say(line);
    person.say("");
    const next = await askChange(source, said, person, plan !== null);
    if (next === null && plan !== null) return plan;
    said = next ?? said;
  }
}

/** What a proposal fails for, a change of columns may mend. */
async function attempt<Result>(work: () => Promise<Result>, person: Person): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    person.say(error.message);
    return null;
  }
}

/** Asks what unclear columns are, one after the other: an answer may make others clear. */
async function askRoles(
  source: OpenedSource,
  wishes: ColumnWishes,
  person: Person,
): Promise<{ readonly roles: readonly ColumnRole[]; readonly wishes: ColumnWishes }> {
  let said = wishes;
  for (;;) {
    const roles = guessColumns(source.table, said, source.masks);
    const unclear = roles.find((role): role is UnclearRole => role.role === "unclear");
    if (unclear === undefined) return { roles, wishes: said };
    person.say(`"${unclear.column}": ${unclear.why}.`);
    for (const line of WHAT) person.say(line);
    const answer = await person.ask("What is it? ");
    // whoever would rather speak of another column may
    const next = () => (answer.includes("=") ? withAnswer(said, answer) : withWish(said, unclear.column, answer));
    said = tried(() => checked(source, next()), person) ?? said;
  }
}

/** @returns null where the person takes it as it is */
async function askChange(
  source: OpenedSource,
  wishes: ColumnWishes,
  person: Person,
  canWrite: boolean,
): Promise<ColumnWishes | null> {
  for (;;) {
    const answer = await person.ask(canWrite ? "Enter writes the project, COLUMN=WHAT changes it: " : "COLUMN=WHAT: ");
    if (answer === "" && canWrite) return null;
    if (answer === "") continue;
    const next = tried(() => checked(source, withAnswer(wishes, answer)), person);
    if (next !== null) return next;
  }
}

/** @throws what guessing with these wishes throws: a kind that the cells cannot be, a column that is not there */
function checked(source: OpenedSource, wishes: ColumnWishes): ColumnWishes {
  guessColumns(source.table, wishes, source.masks);
  return wishes;
}

function tried<Result>(work: () => Result, person: Person): Result | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    person.say(error.message);
    return null;
  }
}
