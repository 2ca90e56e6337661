/** @file What never holds of the answers to one input: said in a flow, counted in labels and predictions. */
import { FlowError } from "../errors.js";
import { i32At } from "../arrays.js";
import { ContractUse, Expression } from "./define.js";
import { axisOf, isPerElement, type Contract, type FlowGraph, gatesOf, taskAt } from "./graph.js";
import { type AnswerColumn, activeRows, atomTruth, neededOffsets, type Offsets, overTokens } from "./masks.js";
import { FALSE, TRUE, evaluateCondition, type TruthColumn } from "./precondition.js";

/**
 * No input has answers of which this is true: `out.add(never(out.blocked.and(out.moving)))`. It changes nothing of what
 * is asked or trained; it is counted where it is broken.
 * @throws FlowError for what is no condition
 */
export function never(condition: Expression): ContractUse {
  return new ContractUse({ kind: "never", condition: conditionOf("never", condition) });
}

/**
 * Where the first is true, the second is, too: `out.add(implies(out.open, out.lit))`. What is unknown breaks nothing.
 * @throws FlowError for what is no condition
 */
export function implies(condition: Expression, consequence: Expression): ContractUse {
  return new ContractUse({
    kind: "implies",
    condition: conditionOf("implies", condition),
    consequence: conditionOf("implies", consequence),
  });
}

function conditionOf(method: string, condition: Expression) {
  if (condition instanceof Expression) return Expression.toCondition(condition);
  throw new FlowError(
    `${method}(…) takes conditions, such as out.door_open.and(out.color.is("red")), or a binary task by itself.`,
    { method },
  );
}

/** Paths of the tasks that a contract reads. */
export function tasksOfContract(contract: Contract): ReadonlySet<string> {
  const own = gatesOf(contract.condition);
  return contract.kind === "never" ? own : new Set([...own, ...gatesOf(contract.consequence)]);
}

/** How a contract fares on some rows. */
export interface KeptContract {
  /** 1 where the row breaks it: of answers per token, where any token does. Shape [rows]. */
  readonly broken: Uint8Array;
  /** 1 where it is known whether it is kept. Shape [rows]. */
  readonly known: Uint8Array;
}

/**
 * How each contract of a flow fares. Answers that are missing, or whose question is not asked, are unknown, and break none.
 * @param answers labels, or decoded answers, one column per task
 */
export function keptContracts(
  graph: FlowGraph,
  answers: readonly AnswerColumn[],
  rows: number,
  offsets?: Offsets | null,
): KeptContract[] {
  const { contracts = [] } = graph;
  if (contracts.length === 0) return [];
  const active = activeRows(graph, answers, rows, offsets);
  return contracts.map((contract) => {
    const isPerToken = [...tasksOfContract(contract)].some((path) => axisOf(taskAt(graph, path).spec) === "token");
    const truth = (condition: Contract["condition"]): TruthColumn =>
      evaluateCondition(condition, (atom) => {
        const { spec, index } = taskAt(graph, atom.task);
        const own = atomTruth(atom, spec, answers[index] ?? new Float32Array(0), active[index] ?? new Uint8Array(0));
        return isPerToken && !isPerElement(spec) ? overTokens(own, neededOffsets(offsets)) : own;
      });
    const condition = truth(contract.condition);
    const consequence = contract.kind === "implies" ? truth(contract.consequence) : null;
    const isBroken = (i: number): boolean =>
      condition[i] === TRUE && (consequence === null || consequence[i] === FALSE);
    const isKept = (i: number): boolean => condition[i] === FALSE || (consequence !== null && consequence[i] === TRUE);
    const broken = new Uint8Array(rows);
    const known = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      const [from, to] = isPerToken
        ? [i32At(neededOffsets(offsets), row), i32At(neededOffsets(offsets), row + 1)]
        : [row, row + 1];
      for (let i = from; i < to; i++) {
        if (isBroken(i)) broken[row] = 1;
        if (isBroken(i) || isKept(i)) known[row] = 1;
      }
    }
    return { broken, known };
  });
}
