/**
 * @file Whom to blame for what a user loses: the gap between a task's score where it is rightly asked and its score end to
 * end, shared out over the errors of the gates above it (docs/architecture.md#blame).
 */
import { at, f64At, i32At, u32At, u8At } from "../../arrays.js";
import { ASKED, askedByLabels, NOT_ASKED, UNDECIDED } from "../../flow/asked.js";
import { axisOf, isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { neededOffsets, overTokens, rowOfEachToken } from "../../flow/masks.js";
import type { Split } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import { DEFAULT_TOLERANCE } from "../end-to-end.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import {
  type AskedGame,
  askedGame,
  askedWith,
  coalitionScores,
  decisiveIn,
  EXACT,
  type GameLimits,
  scoreOf,
  type SignatureTotals,
} from "./asked-game.js";
import { type GateError, statementCodes } from "./gate-errors.js";
import { gatesAbove } from "./gates-above.js";
import { sampledShares, shapleyShares } from "./shapley.js";
import { signaturesOf } from "./signatures.js";

/** What one gate costs one task. Shares are of the task's score, from −1 to 1. */
export interface GateShare {
  readonly gate: string;
  /** Of the gap: what the gate's errors cost, together. */
  readonly share: number;
  /** What it costs that the gate does not say what is true. */
  readonly misses: number;
  /** What it costs that it says what is not. */
  readonly false_alarms: number;
  /** What the score gains where this gate alone becomes perfect, and all others stay. */
  readonly alone: number;
  /** Rows whose part in the task's score hangs on such an error of the gate. */
  readonly missed_rows: number;
  readonly false_alarm_rows: number;
  /** Standard error of the share, where shares are sampled. */
  readonly standard_error?: number;
}

/** What one task loses, and to whom. Null where no question is due. */
export interface TaskBlame {
  readonly task_path: string;
  /** Name of the score: the share of right answers. */
  readonly metric_name: string;
  /** Questions that are due or given. */
  readonly num_samples: number;
  readonly end_to_end: number | null;
  /** The score where every gate is right. */
  readonly truth: number | null;
  /** `truth` less `end_to_end`: what the gates cost, which is the sum of their shares. */
  readonly gap: number | null;
  /** What the task itself gets wrong where it is rightly asked: 1 less `truth`. */
  readonly own_error: number | null;
  readonly method: "exact" | "sampled";
  /** In the order of the flow; empty where the task is always asked. */
  readonly gates: readonly GateShare[];
}

/** What all tasks below a gate gain where it becomes perfect, and nothing else changes. */
export interface GateGain {
  readonly gate: string;
  /** Mean gain of the tasks below it. */
  readonly gain: number;
  /** How many these are. */
  readonly tasks: number;
}

/** A row (or token) behind a number. */
export interface BlamedRow {
  readonly task_path: string;
  /** Null: the task's own error. */
  readonly gate: string | null;
  readonly error: GateError | "own_error";
  readonly sample: string;
  /** Of a task per token, the token's place in its row. */
  readonly position?: number;
}

export interface Blame {
  readonly split: Split;
  readonly tasks: readonly TaskBlame[];
  /** The largest gain first. */
  readonly gates: readonly GateGain[];
}

export interface BlameOptions {
  /** Of numbers, as a share of their range. */
  readonly tolerance?: number;
  /** Path of the only task to look at. */
  readonly task?: string | undefined;
  readonly limits?: GameLimits;
  /** Random orders where there are too many gates to be exact. */
  readonly orders?: number;
  /** Is given the rows behind every number; they are told only where it is given. */
  readonly onRow?: (row: BlamedRow) => void;
}

const DEFAULT_ORDERS = 400;

/** Blames gates for what the tasks below them lose. Tasks of which nobody knows what is right are left out. */
export function blameSplit(graph: FlowGraph, scored: ScoredSplit, options: BlameOptions = {}): Blame {
  const answers = scored.tasks.map(({ labels }) => labels.answers);
  const statuses = askedByLabels(graph, answers, scored.ids.length, scored.offsets);
  const games = new Map<string, AskedGame>();
  const tasks = graph.tasks.filter(
    ({ spec, path }) =>
      behaviourOf(spec).answeredBy === "network" &&
      behaviourOf(spec).endToEnd !== null &&
      (options.task === undefined || options.task === path),
  );
  const blamed = tasks.map((task) => {
    // tasks under the same gates share what hangs on these
    const key = JSON.stringify([axisOf(task.spec), task.precondition]);
    const game = games.get(key) ?? gameOf(graph, scored, statuses, task, options.limits ?? EXACT);
    games.set(key, game);
    return blameTask(scored, at(scored.tasks, task.index), game, options);
  });
  return { split: scored.split, tasks: blamed, gates: gainsOf(graph, blamed) };
}

function gameOf(
  graph: FlowGraph,
  scored: ScoredSplit,
  statuses: readonly Uint8Array[],
  task: TaskNode,
  limits: GameLimits,
): AskedGame {
  const above = gatesAbove(graph, task);
  const isPerToken = isPerElement(task.spec);
  const codes = above.statements.map((statement) => {
    const gate = at(
      scored.tasks,
      graph.tasks.findIndex(({ path }) => path === statement.task),
    );
    const own = statementCodes(statement, gate, at(statuses, gate.task.index));
    return isPerToken && !isPerElement(gate.task.spec) ? overTokens(own, neededOffsets(scored.offsets)) : own;
  });
  return askedGame(above, signaturesOf(at(statuses, task.index), codes), limits);
}

function blameTask(scored: ScoredSplit, task: ScoredTask, game: AskedGame, options: BlameOptions): TaskBlame {
  const { spec, path } = task.task;
  const form = behaviourOf(spec).endToEnd;
  if (form === null) throw new Error(`nobody knows what is right of ${path}`);
  const right = rightIfAsked(task, game, options.tolerance ?? DEFAULT_TOLERANCE);
  const totals = totalsOf(task, game, right);
  const none = scoreOf(game, totals, new Uint8Array(game.players.length));
  const all = scoreOf(game, totals, new Uint8Array(game.players.length).fill(1));
  const isDefined = !Number.isNaN(all);
  const facts = {
    task_path: path,
    metric_name: form.rightness,
    num_samples: countedRows(game, totals),
    end_to_end: Number.isNaN(none) ? null : none,
    truth: isDefined ? all : null,
    gap: isDefined ? all - none : null,
    own_error: isDefined ? 1 - all : null,
    method: game.worlds === null ? ("sampled" as const) : ("exact" as const),
  };
  const decisive = decisiveIn(game);
  if (options.onRow !== undefined) tellRows(scored, task, game, { right, decisive }, options.onRow);
  if (!isDefined || Number.isNaN(none)) return { ...facts, gates: [] };
  const stakes = { decisive, rows: rowsAtStake(game, right) };
  return { ...facts, gates: sharesOf(game, totals, stakes, options.orders ?? DEFAULT_ORDERS) };
}

/** Share of each due and labelled answer that is right, were it asked; NaN elsewhere. Shape [rows] */
function rightIfAsked(task: ScoredTask, { signatures: { ids, due } }: AskedGame, tolerance: number): Float64Array {
  const { spec } = task.task;
  const answered = { spec, decoded: task.decoded, labels: task.labels };
  const form = behaviourOf(spec).endToEnd;
  const right = new Float64Array(ids.length).fill(Number.NaN);
  for (let row = 0; row < ids.length && form !== null; row++) {
    if (u8At(due, u32At(ids, row)) !== ASKED || u8At(task.labelled, row) === 0) continue;
    right[row] = form.right(answered, row, tolerance);
  }
  return right;
}

/** Sums over the rows of each signature; rows that are undecided, or due without a label, are in none. */
function totalsOf({ labelled }: ScoredTask, { signatures }: AskedGame, right: Float64Array): SignatureTotals {
  const { ids, due, count } = signatures;
  const totals = { rows: new Float64Array(count), right: new Float64Array(count) };
  for (let row = 0; row < ids.length; row++) {
    const signature = u32At(ids, row);
    const status = u8At(due, signature);
    if (status === UNDECIDED || (status === ASKED && u8At(labelled, row) === 0)) continue;
    totals.rows[signature] = f64At(totals.rows, signature) + 1;
    if (status === ASKED) totals.right[signature] = f64At(totals.right, signature) + f64At(right, row);
  }
  return totals;
}

/** Questions that are due or given. */
function countedRows(game: AskedGame, { rows }: SignatureTotals): number {
  const { players, signatures } = game;
  const given = askedWith(game, new Uint8Array(players.length));
  return rows.reduce(
    (sum, count, i) => sum + (u8At(signatures.due, i) === ASKED || u8At(given, i) === 1 ? count : 0),
    0,
  );
}

/** Whether asking this row changes the score: it is known not to be due, or something about its answer is right. */
function isAtStake(due: number, right: number): boolean {
  return due === NOT_ASKED || (due === ASKED && right > 0);
}

/** How many rows of each signature are at stake. Shape [signatures] */
function rowsAtStake({ signatures: { ids, due, count } }: AskedGame, right: Float64Array): Float64Array {
  const rows = new Float64Array(count);
  for (let row = 0; row < ids.length; row++) {
    const signature = u32At(ids, row);
    if (isAtStake(u8At(due, signature), f64At(right, row))) rows[signature] = f64At(rows, signature) + 1;
  }
  return rows;
}

interface Stakes {
  /** Per player, the signatures in which it decides. */
  readonly decisive: readonly Uint8Array[];
  readonly rows: Float64Array;
}

function sharesOf(game: AskedGame, totals: SignatureTotals, stakes: Stakes, orders: number): GateShare[] {
  const { players, worlds, above } = game;
  const { shares, errors } =
    worlds === null
      ? sampledShares(players.length, (corrected) => scoreOf(game, totals, corrected), orders)
      : { shares: shapleyShares(coalitionScores(game, worlds, totals), players.length), errors: null };
  const none = scoreOf(game, totals, new Uint8Array(players.length));
  const rows = stakes.decisive.map((decisive) =>
    decisive.reduce((sum, one, signature) => sum + one * f64At(stakes.rows, signature), 0),
  );
  return above.gates
    .filter(({ spec }) => behaviourOf(spec).answeredBy === "network")
    .map(({ path }): GateShare => {
      const of = (values: readonly number[], error: GateError): number =>
        values[players.findIndex((player) => player.gate === path && player.error === error)] ?? 0;
      const [misses, false_alarms] = [of(shares, "misses"), of(shares, "false_alarms")];
      const perfect = Uint8Array.from(players, ({ gate }) => (gate === path ? 1 : 0));
      return {
        ...{ gate: path, share: misses + false_alarms, misses, false_alarms },
        alone: scoreOf(game, totals, perfect) - none,
        ...{ missed_rows: of(rows, "misses"), false_alarm_rows: of(rows, "false_alarms") },
        // the error of a sum is at most the sum of the errors
        ...(errors === null ? {} : { standard_error: of(errors, "misses") + of(errors, "false_alarms") }),
      };
    });
}

/** Tells which rows are behind the numbers of one task. */
function tellRows(
  scored: ScoredSplit,
  task: ScoredTask,
  { signatures: { ids, due }, players }: AskedGame,
  { right, decisive }: { readonly right: Float64Array; readonly decisive: readonly Uint8Array[] },
  onRow: (row: BlamedRow) => void,
): void {
  const { path: task_path, spec } = task.task;
  const offsets = isPerElement(spec) ? neededOffsets(scored.offsets) : null;
  const rowOf = offsets === null ? null : rowOfEachToken(offsets);
  const sampleOf = (entry: number) => {
    if (rowOf === null || offsets === null) return { sample: at(scored.ids, entry) };
    const row = i32At(rowOf, entry);
    return { sample: at(scored.ids, row), position: entry - i32At(offsets, row) };
  };
  for (let row = 0; row < ids.length; row++) {
    if (f64At(right, row) < 1) onRow({ task_path, gate: null, error: "own_error", ...sampleOf(row) });
  }
  players.forEach(({ gate, error }, player) => {
    const decides = at(decisive, player);
    for (let row = 0; row < ids.length; row++) {
      const signature = u32At(ids, row);
      if (u8At(decides, signature) === 0 || !isAtStake(u8At(due, signature), f64At(right, row))) continue;
      onRow({ task_path, gate, error, ...sampleOf(row) });
    }
  });
}

/** What the tasks below each gate gain on average where it becomes perfect, the largest first. */
function gainsOf(graph: FlowGraph, tasks: readonly TaskBlame[]): GateGain[] {
  const gains = graph.tasks.flatMap(({ path: gate }): GateGain[] => {
    const own = tasks.flatMap(({ gates }) => gates.filter((share) => share.gate === gate));
    if (own.length === 0) return [];
    return [{ gate, gain: own.reduce((sum, { alone }) => sum + alone, 0) / own.length, tasks: own.length }];
  });
  return gains.sort((a, b) => b.gain - a.gain);
}
