/** @file `cool audit`: which labels of a run's tables are likely wrong, and what would set their rows right. */
import { refusePixels } from "../pixels/per-pixel.js";
import { at } from "../../arrays.js";
import {
  auditLabels,
  type AuditedTask,
  type LabelAudit,
  SUSPICIOUS,
  type Suspect,
} from "../../analysis/audit/audit.js";
import { contradictionsOf } from "../../analysis/audit/contradictions.js";
import { scoreSplit, type SplitOutputs } from "../../analysis/score.js";
import { selectLabels } from "../../data/labels/select-labels.js";
import { tableFormat, writeTable } from "../../data/tables/table-writer.js";
import { ConfigError, UnknownNameError } from "../../errors.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { refuseExisting } from "../../platform/written-files.js";
import type { RunStore } from "../../storage/run-store.js";
import type { Described, Labels } from "../../tasks/index.js";
import type { PredictOptions } from "../open-inputs.js";
import type { OpenRunOptions, StoredRun } from "../stored-run.js";
import { assertOwnProject, assertSameTable } from "./own-table.js";
import { suspectSheets } from "./audit-sheets.js";
import { answerCells } from "./cell-writer.js";
import { type DuplicateLabels, duplicateLabels } from "./duplicate-pictures.js";
import { type HeldOut, heldOutAnswers } from "./held-out.js";
import { cellText, labelColumnsAt, type LabelTable, placeOfRow, readLabelTable, type RowPlace } from "./label-table.js";

/** A suspicious label and where it stands. */
export interface ListedSuspect extends Omit<Suspect, "row">, RowPlace {}

/** A repair of a row and where it stands. */
export interface ListedRepair extends Omit<LabelAudit["repairs"][number], "row">, RowPlace {}

/** A contradiction with the flow and where it stands. */
export interface ListedContradiction extends RowPlace {
  readonly sample: string;
  readonly task_path: string;
  readonly kind: "not_asked" | "gate_missing";
  readonly gates: readonly string[];
}

export interface AuditResult {
  readonly run: { readonly id: string; readonly name: string };
  readonly judged: {
    readonly rows: number;
    /** Whether each row was judged by a network of folds that had not seen it, or only rows of valid and test are. */
    readonly kind: HeldOut["kind"];
    /** Rows of the tables that no network judges which has not seen them. */
    readonly unjudged: number;
    readonly advice: string | null;
  };
  readonly tasks: readonly AuditedTask[];
  /** The most suspicious first. */
  readonly suspects: readonly ListedSuspect[];
  readonly repairs: readonly ListedRepair[];
  /** Of all rows, judged or not. */
  readonly contradictions: readonly ListedContradiction[];
  /** null without --images. */
  readonly duplicates: readonly DuplicateLabels[] | null;
  /** Paths of tasks of which no label is judged. */
  readonly unaudited: readonly string[];
  readonly out: string | null;
  readonly sheets: readonly string[];
}

export interface AuditOptions extends OpenRunOptions, Pick<PredictOptions, "signal" | "onProgress"> {
  /** Path of one task; default: all. */
  readonly task?: string | undefined;
  /** Suspects from this probability on; default: those that are more likely wrong than right. */
  readonly least?: number | undefined;
  /** Of a changed cell, in nats; default: estimated of each task. */
  readonly price?: number | undefined;
  /** File for the suspects, to correct. */
  readonly out?: string | undefined;
  /** Folder for pictures of the suspects, and how many of each task are on one. */
  readonly sheets?: string | undefined;
  readonly top?: number | undefined;
  /** Whether pictures are compared, too. */
  readonly images?: boolean | undefined;
}

/**
 * @param reference a run, or a group of folds, whose out-of-fold answers judge every row
 * @throws UnknownNameError, StoreError, DataError
 */
export async function auditRun(store: RunStore, reference: string, options: AuditOptions = {}): Promise<AuditResult> {
  if (options.out !== undefined) {
    tableFormat(options.out);
    refuseExisting(options.out);
  }
  const heldOut = await heldOutAnswers(store, reference, options);
  const { stored } = heldOut;
  assertOwnProject(stored, options.project);
  const { graph } = stored;
  refusePixels(
    graph,
    "no cell of a table repairs a mask, so its labels cannot be audited: cool interpret shows the pictures of least overlap",
  );
  const paths = graph.tasks.map(({ path }) => path);
  const { task: wanted, least = SUSPICIOUS } = options;
  if (wanted !== undefined && !paths.includes(wanted)) {
    throw new UnknownNameError("task", wanted, paths, `run ${heldOut.name}`, { exitCode: 2 });
  }
  const table = await readLabelTable(stored);
  const { outputs, unknown } = withLabelsOf(stored, heldOut.outputs, table);
  const scored = scoreSplit(graph, outputs, stored.thresholds);
  const audit = auditLabels(graph, scored, options.price, least);
  if (audit === null) {
    throw new ConfigError(
      `The conditions of the flow "${graph.flow}" hang together in more ways than can be tried for every row, so its labels cannot be audited. Split it into flows that read fewer gates at once.`,
      { flow: graph.flow },
    );
  }
  const isWanted = (path: string): boolean => wanted === undefined || path === wanted;
  const found = audit.suspects.filter(({ suspicion, task_path }) => suspicion >= least && isWanted(task_path));
  const placed = <T extends { readonly row: number; readonly sample: string }>(one: T): T & RowPlace => {
    return { ...one, ...placeOfRow(table, table.rowOf.get(one.sample) ?? 0) };
  };
  if (options.out !== undefined) await writeSuspects(options.out, graph, table, found, options.signal);
  const sheets =
    options.sheets === undefined
      ? []
      : await suspectSheets(stored, scored, table, found, { folder: options.sheets, top: options.top ?? 20 });
  return {
    run: { id: stored.run.id, name: heldOut.name },
    judged: {
      rows: scored.ids.length,
      kind: heldOut.kind,
      unjudged: table.joined.rows - scored.ids.length + unknown,
      advice: heldOut.advice,
    },
    tasks: audit.tasks.filter(({ task_path }) => isWanted(task_path)),
    suspects: found.map(placed),
    repairs: audit.repairs.filter(({ cells }) => cells.some(({ task_path }) => isWanted(task_path))).map(placed),
    contradictions: contradictionsOf(graph, table.labels, table.joined.rows)
      .filter(({ task }) => isWanted(at(paths, task)))
      .map(({ row, task, kind, gates }) => ({
        ...placeOfRow(table, row),
        ...{ sample: at(table.ids, row), task_path: at(paths, task), kind, gates },
      })),
    duplicates: options.images === true ? await duplicateLabels(stored, table, store.dir, options) : null,
    unaudited: audit.unaudited,
    out: options.out ?? null,
    sheets,
  };
}

/** Held-out answers beside the labels as they are now; rows that the tables no longer have are left out. */
function withLabelsOf(
  stored: StoredRun,
  outputs: SplitOutputs,
  table: LabelTable,
): { readonly outputs: SplitOutputs; readonly unknown: number } {
  const { graph } = stored;
  const kept = outputs.ids.flatMap((id, row) => (table.rowOf.has(id) ? [row] : []));
  const unknown = outputs.ids.length - kept.length;
  const places = kept.map((row) => table.rowOf.get(at(outputs.ids, row)) ?? 0);
  const rows = outputs.ids.length;
  const offsets = outputs.offsets ?? null;
  if (unknown > 0 && offsets !== null) {
    throw new ConfigError("Rows of the run are no longer in its tables, and it reads tokens. Train it anew.", {});
  }
  const now = graph.tasks.map(({ index, spec }): Labels => {
    const before = at(outputs.labels, index);
    if (isPerElement(spec)) return before;
    const { answers } = selectLabels(spec, { ...at(table.labels, index), unitScale: null }, places);
    const { unitScale } = before;
    return { answers, unitScale: unitScale === null ? null : pickRows(unitScale, unitScale.length / rows, kept) };
  });
  assertSameTable(stored, { graph, before: outputs, kept, now }, table.projectDir);
  return {
    unknown,
    outputs: {
      ...outputs,
      ids: kept.map((row) => at(outputs.ids, row)),
      outputs: outputs.outputs.map((values) => (unknown === 0 ? values : pickRows(values, values.length / rows, kept))),
      labels: now,
    },
  };
}

function pickRows(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const picked = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    picked.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return picked;
}

const COLUMNS = [
  { name: "table", type: "VARCHAR" },
  { name: "row", type: "INTEGER" },
  { name: "sample", type: "VARCHAR" },
  { name: "column", type: "VARCHAR" },
  { name: "label", type: "VARCHAR" },
  { name: "corrected", type: "VARCHAR" },
  { name: "predicted", type: "VARCHAR" },
  { name: "suspicion", type: "DOUBLE" },
  { name: "why", type: "VARCHAR" },
] as const;

/** One line for each cell: `corrected` is what the joint repair makes of it, for a person to confirm or change. */
async function writeSuspects(
  out: string,
  graph: FlowGraph,
  table: LabelTable,
  suspects: readonly Suspect[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const byPath = new Map(graph.tasks.map((task) => [task.path, task]));
  const rows = suspects.flatMap(({ sample, task_path, suspicion, kind, label, repaired, predicted }) => {
    const row = table.rowOf.get(sample) ?? 0;
    const task = byPath.get(task_path);
    if (task === undefined) return [];
    const columns = labelColumnsAt(table, task, row);
    const place = placeOfRow(table, row);
    const written = answerCells(task.spec, columns, repaired);
    const answered = answerCells(task.spec, columns, predicted);
    return columns.map(({ column, cells, row: own }, i) => {
      const now = cellText(cells.at(own));
      // the same answer may be written in several ways
      const corrected = isSame(label, repaired) ? now : at(written, i);
      const rounded = Number(suspicion.toFixed(4));
      return [place.table, place.row, sample, column, now, corrected, at(answered, i), rounded, kind];
    });
  });
  await writeTable(out, COLUMNS, rows, signal);
}

function isSame(a: Described, b: Described): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
