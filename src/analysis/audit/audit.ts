/** @file The label audit of scored rows: how likely each label is wrong, and what would set its row right. */
import { at } from "../../arrays.js";
import { axisOf, type FlowGraph } from "../../flow/graph.js";
import { behaviourOf, type Described } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { type CellCosts, cellCosts, fixedCell } from "./cell-costs.js";
import { type Contradiction, contradictionsOf } from "./contradictions.js";
import { type CellRepair, repairRow } from "./joint-repair.js";
import { latticeOf } from "./lattice.js";
import { type TaskModel, taskModel } from "./task-model.js";

/** A label that may be wrong. */
export interface Suspect {
  /** Of the scored rows. */
  readonly row: number;
  readonly sample: string;
  readonly task_path: string;
  /** Why: the network says otherwise, or the label contradicts the flow (see Contradiction). */
  readonly kind: "unlikely" | Contradiction["kind"];
  /** Probability that the label is not as it should be, given the network's answers and the row's other labels. */
  readonly suspicion: number;
  readonly label: Described;
  /** What the joint repair makes of it: the same where it stays, null where the cell is emptied. */
  readonly repaired: Described;
  /** What the network says, whether or not it would ask. */
  readonly predicted: Described;
  /** Whether confident learning by itself counts the label as another. */
  readonly confident: boolean;
}

/** A change of a cell that sets a row right. */
export interface RepairedCell {
  readonly task_path: string;
  readonly from: Described;
  /** null: the cell is emptied. */
  readonly to: Described;
}

export interface Repair {
  readonly row: number;
  readonly sample: string;
  /** Cost of the repaired row in nats: how unlikely its answers are, and the price of each change. */
  readonly cost: number;
  /** Largest probability that one of the changed cells is wrong as it stands. */
  readonly suspicion: number;
  readonly cells: readonly RepairedCell[];
}

/** What the labels of one task come to. */
export interface AuditedTask {
  readonly task_path: string;
  readonly labelled: number;
  /** Estimated share of wrong labels among those asked for. */
  readonly error_rate: number | null;
  /** Labels that are more likely wrong than right. */
  readonly suspects: number;
  readonly contradictions: number;
}

export interface LabelAudit {
  readonly tasks: readonly AuditedTask[];
  /** Every filled cell, the most suspicious first. */
  readonly suspects: readonly Suspect[];
  /** Rows whose cheapest repair changes something. */
  readonly repairs: readonly Repair[];
  readonly contradictions: readonly Contradiction[];
  /** Paths of tasks that are not audited. */
  readonly unaudited: readonly string[];
}

/** From here on a label is more likely wrong than right. */
export const SUSPICIOUS = 0.5;

/**
 * Audits the labels of rows that the network was not trained on.
 * @param price of a changed cell in nats; default: of each task its own, see taskModel
 * @returns null where the flow's conditions hang together in too many ways to be walked for every row
 */
export function auditLabels(graph: FlowGraph, scored: ScoredSplit, price?: number): LabelAudit | null {
  const audited = graph.tasks.filter(({ spec }) => axisOf(spec) === "sample");
  const lattice = latticeOf(graph, audited);
  if (lattice === null) return null;
  const models = new Map(
    audited.flatMap(({ index }): [number, TaskModel][] => {
      const model = taskModel(at(scored.tasks, index), price);
      return model === null ? [] : [[index, model]];
    }),
  );
  const labels = scored.tasks.map((task) => task.labels);
  const contradictions = contradictionsOf(graph, labels, scored.ids.length);
  const kinds = new Map(contradictions.map(({ row, task, kind }) => [`${row} ${task}`, kind]));
  const suspects: Suspect[] = [];
  const repairs: Repair[] = [];
  for (const [row, sample] of scored.ids.entries()) {
    const cells = lattice.layers.map(({ task, signatures }): CellCosts => {
      const own = at(scored.tasks, task.index);
      const model = models.get(task.index);
      return model === undefined
        ? fixedCell(own, signatures, row, price ?? emptyingPrice(own))
        : cellCosts(own, model, signatures, row);
    });
    const repair = repairRow(lattice, cells);
    const changes: RepairedCell[] = [];
    let suspicion = 0;
    for (const [layer, { task }] of lattice.layers.entries()) {
      const own = at(scored.tasks, task.index);
      // what comes with the inputs is no label
      if (behaviourOf(task.spec).answeredBy !== "network") continue;
      const [from, to] = [wordsOf(own, own.labels.answers, row), repairedWords(own, at(repair.cells, layer), row)];
      if (at(repair.cells, layer).kind !== "kept") {
        changes.push({ task_path: task.path, from, to });
        suspicion = Math.max(suspicion, at(repair.wrong, layer));
      }
      if (own.labelled[row] !== 1) continue;
      suspects.push({
        ...{ row, sample, task_path: task.path },
        kind: kinds.get(`${row} ${task.index}`) ?? "unlikely",
        suspicion: at(repair.wrong, layer),
        ...{ label: from, repaired: to, predicted: wordsOf(own, own.decoded, row) },
        confident: models.get(task.index)?.confident.has(row) ?? false,
      });
    }
    if (changes.length > 0) repairs.push({ row, sample, cost: repair.cost, suspicion, cells: changes });
  }
  suspects.sort((a, b) => b.suspicion - a.suspicion);
  repairs.sort((a, b) => b.suspicion - a.suspicion);
  return {
    tasks: audited.flatMap(({ index, path, spec }): AuditedTask[] => {
      if (behaviourOf(spec).answeredBy !== "network") return [];
      const rates = models.get(index)?.errorRates ?? null;
      const own = suspects.filter((suspect) => suspect.task_path === path);
      return [
        {
          task_path: path,
          labelled: own.length,
          error_rate: rates === null ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
          suspects: own.filter(({ suspicion }) => suspicion >= SUSPICIOUS).length,
          contradictions: contradictions.filter(({ task }) => task === index).length,
        },
      ];
    }),
    suspects,
    repairs,
    contradictions,
    unaudited: graph.tasks
      .filter(({ index, spec }) => behaviourOf(spec).answeredBy === "network" && !models.has(index))
      .map(({ path }) => path),
  };
}

// odds of one wrong label in twenty, where nothing tells how many are
const UNKNOWN_PRICE = Math.log(0.95 / 0.05);

/** What comes with the inputs may stand there although nobody asks. */
function emptyingPrice({ task: { spec } }: ScoredTask): number {
  return behaviourOf(spec).answeredBy === "network" ? UNKNOWN_PRICE : 0;
}

function wordsOf({ task: { spec } }: ScoredTask, answers: Float32Array, row: number): Described {
  return behaviourOf(spec).describe(spec, answers, row);
}

function repairedWords(scored: ScoredTask, repair: CellRepair, row: number): Described {
  switch (repair.kind) {
    case "kept":
      return wordsOf(scored, scored.labels.answers, row);
    case "emptied":
      return null;
    case "changed":
      return behaviourOf(scored.task.spec).describe(scored.task.spec, Float32Array.from(repair.answer), 0);
    default:
      return repair satisfies never;
  }
}
