/** @file What the user says of columns, on the command line or when asked. */
import { UnknownNameError, UsageError } from "../errors.js";
import type { ColumnWishes } from "./guess-columns.js";
import { type ProposedKind, TASK_KINDS } from "./task-role.js";

/** What a column can be said to be: a kind of task, or one of these. */
const OTHERS = ["image", "input", "ignore"] as const;
const ANSWERS: readonly string[] = [...TASK_KINDS, ...OTHERS];

/** Flags of the command, as they were typed. */
export interface WishFlags {
  readonly image?: string | undefined;
  readonly input?: readonly string[] | undefined;
  readonly task?: readonly string[] | undefined;
  readonly ignore?: readonly string[] | undefined;
}

/** @throws UsageError for a flag without a kind, or a column that two flags name; UnknownNameError for a wrong kind */
export function wishesOf({ image, input = [], task = [], ignore = [] }: WishFlags): ColumnWishes {
  const tasks = task.map((text): [string, ProposedKind] => {
    const { column, what } = assignment(text, "--task");
    return [column, kindNamed(what, "--task")];
  });
  const named = [...(image === undefined ? [] : [image]), ...input, ...tasks.map(([column]) => column), ...ignore];
  const twice = named.find((column, i) => named.indexOf(column) !== i);
  if (twice !== undefined) {
    throw new UsageError(`The flags say two things of the column "${twice}". Leave one of them out.`, {
      column: twice,
    });
  }
  return { image, inputs: input, ignore, ...(tasks.length === 0 ? {} : { tasks: new Map(tasks) }) };
}

/** `COLUMN=WHAT`; names of columns may have a `=` in them, too. */
function assignment(text: string, where: string): { readonly column: string; readonly what: string } {
  const at = text.lastIndexOf("=");
  if (at > 0) return { column: text.slice(0, at).trim(), what: text.slice(at + 1).trim() };
  throw new UsageError(`${where} "${text}" says no kind. Write COLUMN=KIND, e.g. "${text}=binary".`, { text });
}

function kindNamed(text: string, where: string): ProposedKind {
  const kind = TASK_KINDS.find((each) => each === text.toLowerCase());
  if (kind === undefined) throw new UnknownNameError("kind of task", text, TASK_KINDS, where, { exitCode: 2 });
  return kind;
}

/** The wishes with one answer more, which wins over what was said before: `COLUMN=WHAT`. */
export function withAnswer(wishes: ColumnWishes, text: string): ColumnWishes {
  const { column, what } = assignment(text, "The answer");
  return withWish(wishes, column, what);
}

/** @throws UnknownNameError for something that no column can be */
export function withWish(wishes: ColumnWishes, column: string, what: string): ColumnWishes {
  const others = {
    image: wishes.image === column ? undefined : wishes.image,
    inputs: (wishes.inputs ?? []).filter((each) => each !== column),
    ignore: (wishes.ignore ?? []).filter((each) => each !== column),
  };
  const tasks = new Map([...(wishes.tasks ?? [])].filter(([each]) => each !== column));
  const kept = tasks.size === 0 ? others : { ...others, tasks };
  switch (OTHERS.find((each) => each === what.toLowerCase())) {
    case "image":
      return { ...kept, image: column };
    case "input":
      return { ...kept, inputs: [...others.inputs, column] };
    case "ignore":
      return { ...kept, ignore: [...others.ignore, column] };
    case undefined: {
      const kind = TASK_KINDS.find((each) => each === what.toLowerCase());
      if (kind === undefined) throw new UnknownNameError("answer", what, ANSWERS, undefined, { exitCode: 2 });
      return { ...others, tasks: new Map([...tasks, [column, kind]]) };
    }
  }
}
