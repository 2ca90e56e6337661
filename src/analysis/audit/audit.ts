/** @file The label audit of scored rows: how likely each label is wrong, and what would set its row right. */
import { at } from "../../arrays.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { behaviourOf, type Described } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { type CellCosts, cellCosts, fixedCell } from "./cell-costs.js";
import { type Contradiction, contradictionsOf } from "./contradictions.js";
import { type CellRepair, repairer } from "./joint-repair.js";
import { latticeOf } from "./lattice.js";
import { isAnswered, type TaskModel, taskModel } from "./task-model.js";

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
  /** Filled cells of at least the suspicion that was asked for, the most suspicious first. */
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
 * @param least suspicion of the suspects that are listed; all are counted
 * @returns null where the flow's conditions hang together in too many ways to be walked for every row
 */
export function auditLabels(graph: FlowGraph, scored: ScoredSplit, price?: number, least = 0): LabelAudit | null {
  const audited = graph.tasks.filter(({ spec }) => !isPerElement(spec));
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
  const kinds = kindsOf(graph, contradictions, scored.ids.length);
  const repair = repairer(lattice);
  const counts = graph.tasks.map(() => ({ labelled: 0, suspects: 0 }));
  const suspects: Suspect[] = [];
  const repairs: Repair[] = [];
  for (const [row, sample] of scored.ids.entries()) {
    const cells = lattice.layers.map(({ task, signatures }): CellCosts => {
      const own = at(scored.tasks, task.index);
      const model = models.get(task.index);
      return model === undefined || !isAnswered(own, row)
        ? fixedCell(own, signatures, row, price ?? emptyingPrice(own))
        : cellCosts(own, model, signatures, row);
    });
    const found = repair(cells);
    const changes: RepairedCell[] = [];
    let suspicion = 0;
    for (const [layer, { task }] of lattice.layers.entries()) {
      const own = at(scored.tasks, task.index);
      // what comes with the inputs is no label
      if (behaviourOf(task.spec).answeredBy !== "network") continue;
      const [cell, wrong] = [at(found.cells, layer), at(found.wrong, layer)];
      if (cell.kind !== "kept") {
        const from = wordsOf(own, own.labels.answers, row);
        changes.push({ task_path: task.path, from, to: repairedWords(own, cell, row) });
        suspicion = Math.max(suspicion, wrong);
      }
      if (own.labelled[row] !== 1) continue;
      const count = at(counts, task.index);
      count.labelled++;
      if (wrong >= SUSPICIOUS) count.suspects++;
      // of millions of labels few are put into words
      if (wrong < least) continue;
      suspects.push({
        ...{ row, sample, task_path: task.path },
        kind: KINDS[kinds[task.index]?.[row] ?? 0] ?? "unlikely",
        suspicion: wrong,
        label: wordsOf(own, own.labels.answers, row),
        repaired: repairedWords(own, cell, row),
        predicted: wordsOf(own, own.decoded, row),
        confident: models.get(task.index)?.confident[row] === 1,
      });
    }
    if (changes.length > 0) repairs.push({ row, sample, cost: found.cost, suspicion, cells: changes });
  }
  suspects.sort((a, b) => b.suspicion - a.suspicion);
  repairs.sort((a, b) => b.suspicion - a.suspicion);
  return {
    tasks: audited.flatMap(({ index, path, spec }): AuditedTask[] => {
      if (behaviourOf(spec).answeredBy !== "network") return [];
      const rates = models.get(index)?.errorRates ?? null;
      return [
        {
          task_path: path,
          labelled: at(counts, index).labelled,
          error_rate: rates === null ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
          suspects: at(counts, index).suspects,
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

const KINDS: readonly Suspect["kind"][] = ["unlikely", "not_asked", "gate_missing"];

/** Of each task the kinds of its cells, as places in KINDS; undefined where none of them contradicts the flow. */
function kindsOf(graph: FlowGraph, contradictions: readonly Contradiction[], rows: number): (Uint8Array | undefined)[] {
  const kinds = graph.tasks.map((): Uint8Array | undefined => undefined);
  for (const { row, task, kind } of contradictions) {
    const own = kinds[task] ?? new Uint8Array(rows);
    own[row] = KINDS.indexOf(kind);
    kinds[task] = own;
  }
  return kinds;
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
