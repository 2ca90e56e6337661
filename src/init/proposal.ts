/** @file The roles of a table's columns → inputs, tasks and the flow of a project. */
import type { InputSpec } from "../data/dataset.js";
import { image, numeric } from "../data/inputs/inputs.js";
import { tableIds } from "../data/inputs/table-inputs.js";
import { splitByColumn, splitRows } from "../data/split.js";
import { placeOf, type Table } from "../data/tables/table.js";
import { UsageError } from "../errors.js";
import { at, f64At } from "../arrays.js";
import { type Condition, gatesOf } from "../flow/graph.js";
import type { Backbone } from "./backbone/read-backbone.js";
import { all, factsOf, isTruth } from "./cells.js";
import { evidenceOf, type Gates } from "./conditions.js";
import type { ColumnRole } from "./guess-columns.js";
import { type Figure, type FoundFigure, figuresOf } from "./figures.js";
import { inputNames, taskNames } from "./identifiers.js";
import { type MinedTask, mineFlow } from "./mining/mine-flow.js";
import type { MaskFacts } from "./masks.js";
import { lookAtPictures, type PictureFacts, type PictureSize, readSize } from "./pictures.js";
import { type Place, placesOf } from "./places.js";
import { type TaskRole, taskOf } from "./task-role.js";
import { type Vocabulary, vocabularyOf } from "./vocabulary.js";

/** One input of the project. */
export type ProposedInput = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly hasGaps: boolean;
} & (
  | { readonly kind: "image"; readonly size: readonly [height: number, width: number]; readonly channels: 1 | 3 }
  | { readonly kind: "numeric" }
  | { readonly kind: "categorical"; readonly categories: readonly string[] }
  | { readonly kind: "tokens"; readonly vocabulary: Vocabulary; readonly file: string }
);

/** One task of the flow. */
export interface ProposedTask {
  readonly name: string;
  readonly column: string;
  readonly role: TaskRole;
  /** What it measures on the picture by itself; null: nothing. */
  readonly place: Place | null;
  /** The box or point that it is, with the columns of its numbers; null: neither. */
  readonly figure: Figure | null;
  /** Whether it is read from the table as a condition, and not asked of the network. */
  readonly isKnown: boolean;
  readonly given: Condition | null;
  readonly mined: MinedTask;
  /** For and against its precondition, in words. */
  readonly evidence: readonly string[];
}

/** Shares of the rows, or a column that says it. */
export type ProposedSplit =
  | { readonly column: string }
  | { readonly train: number; readonly valid: number; readonly test: number; readonly seed: number };

export interface Proposal {
  /** What the configuration calls the table: a path relative to the project. */
  readonly source: string;
  readonly rows: number;
  /** In the table's order. */
  readonly columns: readonly ColumnRole[];
  readonly split: ProposedSplit;
  readonly inputs: readonly ProposedInput[];
  /** In the order of the flow: gates come before what they gate. */
  readonly tasks: readonly ProposedTask[];
  readonly gates: Gates;
  /** What the trunk begins with; null: it is trained from scratch. */
  readonly backbone: Backbone | null;
  /** What is wrong with some of the pictures; null: nothing. */
  readonly badPictures: { readonly count: number; readonly looked: number; readonly first: string } | null;
}

/** A table that a project is proposed for. */
export interface OpenedTable {
  readonly table: Table;
  readonly source: string;
  readonly projectDir: string;
  /** What is known of the pictures of a column, where they are not on the disk yet. */
  readonly pictures?: PictureFacts | undefined;
  /** Columns of masks. */
  readonly masks?: ReadonlyMap<string, MaskFacts>;
  /** What the trunk begins with. */
  readonly backbone?: Backbone | undefined;
}

const FRACTIONS = { train: 0.7, valid: 0.15, test: 0.15, seed: 7 } as const;

/**
 * @param roles clear ones, of all columns
 * @throws UsageError if there is nothing to ask or nothing to see answers from; DataError if no picture can be used
 */
export async function propose(opened: OpenedTable, roles: readonly ColumnRole[]): Promise<Proposal> {
  const { table, source } = opened;
  const pictures = new Map<string, PictureFacts>();
  for (const { role, column } of roles) {
    if (role === "image")
      pictures.set(column, opened.pictures ?? (await lookAtPictures(table, column, opened.projectDir)));
  }
  const split = splitOf(roles);
  const train = once(() => trainRows(table, roles, split));
  const columns = withoutUnlabelled(roles, split, train);
  assertEnough(opened, columns);
  const [first] = pictures.values();
  const single = columns.filter((role) => role.role === "task");
  const numbers =
    first === undefined ? [] : single.filter(({ kind, isMask }) => kind === "regression" && isMask !== true);
  const figures = numbers.length === 0 ? [] : figuresOf(numbers, first?.sizes ?? [], train());
  const labels = withFigures(single, figures);
  const known = knownGates(table, columns);
  const mined = mineFlow(inTableOrder(columns, [...labels, ...known]).map((role) => role.labels));
  const asked = askedOf(mined.tasks, labels, known);
  const figureOf = (role: TaskRole) => figures.find((found) => found.role === role)?.figure ?? null;
  const names = namesOf(
    table,
    asked.map(({ role }) => ({ column: role.column, wanted: figureOf(role)?.name ?? role.column })),
  );
  const gates: Gates = {
    roles: new Map(asked.map(({ role }) => [role.column, role])),
    taskName: (column) => names.get(column) ?? column,
  };
  const places = placesOf(numbers, first?.sizes ?? []);
  const rowName = (row: number) => placeOf(table, row);
  const { backbone = null } = opened;
  if (backbone !== null && first === undefined) {
    throw new UsageError(`${table.file} has no pictures for the model ${backbone.model}. Leave out --pretrained.`, {});
  }
  const mask = asked.find(({ role }) => role.isMask === true)?.role;
  if (backbone !== null && mask !== undefined) {
    throw new UsageError(
      `The column "${mask.column}" of ${table.file} names masks, and what is asked of every pixel reads a map of the picture's size, which the model ${backbone.model} does not give. Leave out --pretrained, or the column: --ignore ${mask.column}.`,
      { column: mask.column },
    );
  }
  return {
    ...{ source, columns, split, gates, backbone, rows: table.rows },
    inputs: inputsOf(table, columns, pictures, [...names.values()]).map((input) =>
      input.kind === "image" && backbone !== null
        ? { ...input, size: backbone.size, channels: backbone.channels }
        : mask !== undefined && input.kind === "image"
          ? { ...input, size: halved(input.size) }
          : input,
    ),
    tasks: asked.map(({ role, mined: found }) => ({
      name: gates.taskName(role.column),
      column: role.column,
      role,
      place: places.get(role.column) ?? null,
      figure: figureOf(role),
      isKnown: known.includes(role),
      given: found.given,
      mined: found,
      evidence: evidenceOf(found, gates, rowName),
    })),
    badPictures: badPicturesOf(pictures),
  };
}

/** A size that the proposed U-Net can halve three times. */
function halved([height, width]: readonly [number, number]): readonly [number, number] {
  const nearest = (side: number): number => Math.max(8, 8 * Math.round(side / 8));
  return [nearest(height), nearest(width)];
}

function splitOf(roles: readonly ColumnRole[]): ProposedSplit {
  const column = roles.find(({ role }) => role === "split")?.column;
  return column === undefined ? FRACTIONS : { column };
}

function trainRows(table: Table, roles: readonly ColumnRole[], split: ProposedSplit): Int32Array {
  const picture = roles.find(({ role }) => role === "image");
  const named: InputSpec =
    picture === undefined ? numeric({ columns: ["row"] }) : image({ column: picture.column, size: [8, 8] });
  const ids = tableIds(table, { input: named });
  return ("column" in split ? splitByColumn(table, split.column) : splitRows(ids, split)).train;
}

/** Worked out when it is first asked for. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** With so many labels, seven of ten rows that are drawn have one: 0.3 to the power of this is nothing. */
const SURE = 100;

/** Labels of which the train split has none cannot be trained. */
function withoutUnlabelled(
  roles: readonly ColumnRole[],
  split: ProposedSplit,
  train: () => Int32Array,
): readonly ColumnRole[] {
  const isLabelled = ({ labels }: TaskRole) =>
    (!("column" in split) && hasLabels(labels.values, SURE)) ||
    train().some((row) => !Number.isNaN(f64At(labels.values, row)));
  return roles.map((role): ColumnRole => {
    if (role.role !== "task" || isLabelled(role)) return role;
    return { role: "ignored", column: role.column, why: "it has no label in the train split" };
  });
}

function hasLabels(values: Float64Array, number: number): boolean {
  let found = 0;
  for (const value of values) if (!Number.isNaN(value) && ++found >= number) return true;
  return false;
}

/** One task for each figure, in place of those for its numbers. */
function withFigures(labels: readonly TaskRole[], figures: readonly FoundFigure[]): TaskRole[] {
  return labels.flatMap((label) => {
    const found = figures.find(({ figure }) => figure.columns.includes(label.column));
    if (found === undefined) return [label];
    return found.role.column === label.column ? [found.role] : [];
  });
}

/** @throws UsageError if there is nothing to ask, or nothing that answers are seen from */
function assertEnough({ table }: OpenedTable, columns: readonly ColumnRole[]): void {
  const has = (...roles: readonly ColumnRole["role"][]) => columns.some(({ role }) => roles.includes(role));
  const why = columns
    .flatMap((role) => (role.role === "ignored" ? [`"${role.column}": ${role.why}`] : []))
    .slice(0, 8)
    .join("; ");
  const reasons = why === "" ? "" : ` Left out are ${why}.`;
  const facts = { file: table.file, columns: columns.map(({ role, column }) => ({ column, role })) };
  if (!has("task")) {
    throw new UsageError(
      `No column of ${table.file} is a question: all are inputs or left out.${reasons} Name one with --task COLUMN=KIND.`,
      facts,
    );
  }
  if (!has("image", "numeric", "categorical", "tokens")) {
    throw new UsageError(
      `${table.file} has no column that answers could be seen from: all are questions or left out.${reasons} Name one with --image COLUMN or --input COLUMN.`,
      facts,
    );
  }
}

/** Complete yes-or-no inputs: they can be conditions, and are there whenever the network is asked. */
function knownGates(table: Table, columns: readonly ColumnRole[]): TaskRole[] {
  return columns.flatMap(({ role, column }) => {
    if (role !== "numeric" && role !== "categorical") return [];
    const facts = factsOf(column, table.columns.get(column) ?? []);
    return facts.filled === table.rows && all(facts, isTruth) ? [taskOf(facts, "binary")] : [];
  });
}

function inTableOrder(columns: readonly ColumnRole[], roles: readonly TaskRole[]): TaskRole[] {
  return columns.flatMap(({ column }) => roles.filter((role) => role.column === column));
}

/** Tasks in the order of the flow; of the inputs that could be conditions only those that are. */
function askedOf(
  mined: readonly MinedTask[],
  labels: readonly TaskRole[],
  known: readonly TaskRole[],
): { readonly role: TaskRole; readonly mined: MinedTask }[] {
  const read = new Set(mined.flatMap(({ given }) => (given === null ? [] : [...gatesOf(given)])));
  return mined.flatMap((found) => {
    const role = labels.find(({ column }) => column === found.name);
    if (role !== undefined) return [{ role, mined: found }];
    const gate = known.find(({ column }) => column === found.name && read.has(column));
    return gate === undefined ? [] : [{ role: gate, mined: found }];
  });
}

/** Column → name of its task. */
function namesOf(
  table: Table,
  asked: readonly { readonly column: string; readonly wanted: string }[],
): ReadonlyMap<string, string> {
  const names = taskNames(asked, table.columns.keys());
  return new Map(asked.map(({ column }, i) => [column, at(names, i)]));
}

function badPicturesOf(pictures: ReadonlyMap<string, PictureFacts>): Proposal["badPictures"] {
  for (const { bad, looked } of pictures.values()) if (bad !== null) return { ...bad, looked };
  return null;
}

function inputsOf(
  table: Table,
  columns: readonly ColumnRole[],
  pictures: ReadonlyMap<string, PictureFacts>,
  tasks: readonly string[],
): ProposedInput[] {
  const inputs: (ProposedInput & { readonly wanted: string })[] = [];
  const named = { name: "" };
  for (const role of columns) {
    const { column } = role;
    switch (role.role) {
      case "image": {
        const { sizes = [], isGrey = false } = pictures.get(column) ?? {};
        const read = readSize(sizes.length === 0 ? [SMALL] : sizes);
        inputs.push({
          ...named,
          wanted: "image",
          kind: "image",
          columns: [column],
          hasGaps: false,
          size: read,
          channels: isGrey ? 1 : 3,
        });
        break;
      }
      case "categorical": {
        const { categories, hasGaps } = role;
        inputs.push({ ...named, wanted: column, kind: "categorical", columns: [column], categories, hasGaps });
        break;
      }
      case "tokens": {
        const vocabulary = vocabularyOf(factsOf(column, table.columns.get(column) ?? []));
        inputs.push({
          ...named,
          wanted: "text",
          kind: "tokens",
          columns: [column],
          vocabulary,
          hasGaps: false,
          file: "",
        });
        break;
      }
      default:
        break;
    }
  }
  const numbers = columns.filter((role) => role.role === "numeric");
  if (numbers.length > 0) {
    const hasGaps = numbers.some((role) => role.hasGaps);
    inputs.push({
      ...named,
      wanted: "numbers",
      kind: "numeric",
      columns: numbers.map(({ column }) => column),
      hasGaps,
    });
  }
  const names = inputNames(
    inputs.map(({ wanted }) => wanted),
    tasks,
  );
  return inputs.map(({ wanted: _, ...input }, i) => {
    const name = at(names, i);
    return input.kind === "tokens" ? { ...input, name, file: `${name}-vocabulary.txt` } : { ...input, name };
  });
}

const SMALL: PictureSize = { row: 0, width: 64, height: 64 };
