/** @file Names of columns → names of tasks, and names as TypeScript writes them. */

/** What tasks cannot be called: methods of a flow, and what every object has. */
const RESERVED = new Set(["add", "get", "then"]);

/**
 * One name for each task, in their order: the column's own where it can name a task, else one made of its letters.
 * @param asked the first column of each task, and the name that it should have
 * @param columns of the whole table: one that has the name of another task would be read in its place
 */
export function taskNames(
  asked: readonly { readonly column: string; readonly wanted: string }[],
  columns: Iterable<string>,
): string[] {
  const used = new Set(columns);
  return asked.map(({ column, wanted }, i) => {
    if (wanted === column && isTaskName(column)) return column;
    const base = isTaskName(wanted) ? wanted : baseName(wanted, i);
    let name = base;
    for (let n = 2; used.has(name) || !isTaskName(name); n++) name = `${base}_${n}`;
    used.add(name);
    return name;
  });
}

export function isTaskName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) && !RESERVED.has(name) && !(name in Object.prototype);
}

/** Its letters and digits without accents, words joined by `_`. */
function baseName(column: string, index: number): string {
  const plain = column
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
  if (plain === "") return `task_${index + 1}`;
  return /^[0-9]/.test(plain) ? `n${plain}` : plain;
}

/** `object.name`, or `object["a name"]` where it is no identifier. */
export function member(object: string, name: string): string {
  return isIdentifier(name) ? `${object}.${name}` : `${object}[${quoted(name)}]`;
}

/** A key of an object literal. */
export function key(name: string): string {
  return isIdentifier(name) ? name : quoted(name);
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** `["a", "b"]`. */
export function list(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(", ")}]`;
}

const isIdentifier = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name);

/** What a variable cannot be called: words of the language, and what a configuration imports or names otherwise. */
const WORDS = new Set(
  `break case catch class const continue debugger default delete do else enum export extends false finally for function
  if import in instanceof new null return super switch this throw true try typeof var void while with yield let static
  implements interface package private protected public await eval arguments undefined async of NaN Infinity
  binary classification multilabel boundedRegression regression ordinal box point known numeric categorical tokens
  defineProject defineTasks idCount smallConvNet residualNet unet mapFeatures mlp tokenEncoder sequential concatenate
  tasks flow layers specs x out features seen`.split(/\s+/),
);

/**
 * Names of inputs, which a trunk takes as variables: the wanted ones where they can be variables.
 * @param tasks whose names no input may have: they would be two layers of one name
 */
export function inputNames(wanted: readonly string[], tasks: Iterable<string>): string[] {
  const used = new Set(tasks);
  return wanted.map((name, i) => {
    const base = isVariable(name) ? name : baseName(name, i);
    let free = used.has(base) || !isVariable(base) ? `${base}_input` : base;
    for (let n = 2; used.has(free) || !isVariable(free); n++) free = `${base}_${n}`;
    used.add(free);
    return free;
  });
}

const isVariable = (name: string): boolean => isIdentifier(name) && !WORDS.has(name) && !(name in Object.prototype);
