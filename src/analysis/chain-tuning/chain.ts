/** @file All thresholds of a flow at once, and what becomes of every task when one of them moves. */
import { at, f64At, u32At, u8At } from "../../arrays.js";
import { askedByLabels } from "../../flow/asked.js";
import { axisOf, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { activeRows, type AnswerColumn, answerWidth, neededOffsets, rowOfEachToken } from "../../flow/masks.js";
import { behaviourOf } from "../../tasks/index.js";
import { gatesAbove } from "../blame/gates-above.js";
import type { ScoredSplit } from "../score.js";
import { type ChainQuestion, NO_SCORE } from "./candidates.js";
import { type Contents, TaskContents } from "./contents.js";
import type { TaskSums } from "./objective.js";

/** Sums of every task, in the order of the flow; null where nobody knows what is right. */
export type ChainSums = readonly (TaskSums | null)[];

/** A split decided by one choice of thresholds. */
export class Chain {
  readonly questions: readonly ChainQuestion[];
  /** Of the split. */
  readonly rows: number;
  readonly #graph: FlowGraph;
  readonly #scored: ScoredSplit;
  /** Per task, null where nobody knows what is right. */
  readonly #rowsOf: readonly (TaskContents | null)[];
  /** Per task, whom its answers may make asked. */
  readonly #below: readonly (readonly number[])[];
  readonly #decoded: AnswerColumn[];
  readonly #contents: (Contents | null)[];
  /** Contents of tasks with one question, where it is answered by yes and by no. */
  readonly #ownContents = new Map<number, readonly [Contents, Contents]>();
  #asked: Uint8Array[];
  #sums: (TaskSums | null)[];
  #choice: number[];

  /** @param scored decided by the candidates at the questions' starts */
  constructor(graph: FlowGraph, scored: ScoredSplit, questions: readonly ChainQuestion[], tolerance: number) {
    this.questions = questions;
    this.rows = scored.ids.length;
    this.#graph = graph;
    this.#scored = scored;
    const labels = scored.tasks.map((task) => task.labels.answers);
    const due = askedByLabels(graph, labels, this.rows, scored.offsets);
    this.#rowsOf = graph.tasks.map((task) =>
      isJudged(task) ? new TaskContents(at(scored.tasks, task.index), at(due, task.index), tolerance) : null,
    );
    this.#below = graph.tasks.map(({ path }) =>
      graph.tasks.flatMap((task) =>
        gatesAbove(graph, task).gates.some((gate) => gate.path === path) ? [task.index] : [],
      ),
    );
    this.#decoded = scored.tasks.map(({ decoded }) => decoded);
    this.#contents = this.#rowsOf.map((rows, task) => rows?.of(at(this.#decoded, task)) ?? null);
    this.#choice = questions.map(({ start }) => start);
    this.#asked = scored.tasks.map(({ activePredicted }) => activePredicted);
    this.#sums = this.#countSums();
  }

  /** Place of each question's threshold among its candidates. */
  get choice(): readonly number[] {
    return this.#choice;
  }
  get sums(): ChainSums {
    return this.#sums;
  }

  /** Decides everything by another choice. */
  choose(choice: readonly number[]): void {
    const changed = new Set(this.questions.flatMap(({ task }, i) => (choice[i] === this.#choice[i] ? [] : [task])));
    this.#choice = [...choice];
    for (const task of changed) {
      const own = at(this.#decoded, task).slice();
      this.questions.forEach((question, i) => {
        if (question.task === task) decide(own, question, this.#width(task), (bin) => Number(bin > at(choice, i)));
      });
      this.#decoded[task] = own;
      this.#contents[task] = this.#rowsOf[task]?.of(own) ?? null;
    }
    if ([...changed].some((task) => at(this.#below, task).length > 0)) this.#asked = this.#askedWith(this.#decoded);
    this.#sums = this.#countSums();
  }

  /** The sums of all tasks for each candidate of one question, the other thresholds as they are. */
  sweep(place: number): ChainSums[] {
    const question = at(this.questions, place);
    const answers = [1, 0].map((answer) => {
      const own = at(this.#decoded, question.task).slice();
      decide(own, question, this.#width(question.task), () => answer);
      return own;
    });
    const [yes = new Float32Array(0), no = new Float32Array(0)] = answers;
    const below = at(this.#below, question.task);
    const askedBy = (own: AnswerColumn): Uint8Array[] =>
      below.length === 0
        ? this.#asked
        : this.#askedWith(this.#decoded.map((one, i) => (i === question.task ? own : one)));
    const [askedYes, askedNo] = [askedBy(yes), askedBy(no)];
    const moved = new Map<number, Float64Array[]>();
    for (const task of below) {
      const contents = this.#contents[task] ?? null;
      if (contents === null) continue;
      const bins = this.#binsOver(question, task);
      moved.set(task, sumsByCandidate(question, bins, [contents, contents], [at(askedYes, task), at(askedNo, task)]));
    }
    const own = this.#contentsOfAnswers(question, yes, no);
    if (own !== null) {
      const asked = at(this.#asked, question.task);
      moved.set(question.task, sumsByCandidate(question, question.bins, own, [asked, asked]));
    }
    return Array.from(question.candidates, (_, j) =>
      this.#sums.map((sums, task) => {
        const own = moved.get(task);
        return sums === null || own === undefined ? sums : { ...sums, sums: at(own, j) };
      }),
    );
  }

  #width(task: number): number {
    return answerWidth(at(this.#graph.tasks, task).spec);
  }

  #askedWith(decoded: readonly AnswerColumn[]): Uint8Array[] {
    return activeRows(this.#graph, decoded, this.rows, this.#scored.offsets);
  }

  #contentsOfAnswers(
    { task }: ChainQuestion,
    yes: AnswerColumn,
    no: AnswerColumn,
  ): readonly [Contents, Contents] | null {
    const known = this.#ownContents.get(task);
    if (known !== undefined) return known;
    const rows = this.#rowsOf[task] ?? null;
    if (rows === null) return null;
    const contents = [rows.of(yes), rows.of(no)] as const;
    // the answers to several questions of one task hang together
    if (this.questions.filter((question) => question.task === task).length === 1) this.#ownContents.set(task, contents);
    return contents;
  }

  /** Bins of a gate per row at the tokens that a task is asked about. */
  #binsOver({ task: gate, bins }: ChainQuestion, task: number): Uint8Array {
    const [of, over] = [gate, task].map((index) => axisOf(at(this.#graph.tasks, index).spec));
    if (of === over) return bins;
    return Uint8Array.from(rowOfEachToken(neededOffsets(this.#scored.offsets)), (row) => u8At(bins, row));
  }

  #countSums(): (TaskSums | null)[] {
    return this.#contents.map((contents, task) => {
      if (contents === null) return null;
      const { due, truths, width } = contents;
      const counts = new Float64Array(contents.count);
      const asked = at(this.#asked, task);
      for (let row = 0; row < asked.length; row++) {
        if (asked[row] === 0) continue;
        const id = u32At(contents.ids, row);
        counts[id] = f64At(counts, id) + 1;
      }
      const sums = new Float64Array(width);
      addSums(sums, 0, contents, counts, 0);
      return { due, truths, sums };
    });
  }
}

function isJudged({ spec }: TaskNode): boolean {
  const { answeredBy, endToEnd } = behaviourOf(spec);
  return answeredBy === "network" && endToEnd !== null;
}

/** Writes the answers to one question. */
function decide(
  answers: AnswerColumn,
  { bins, place }: ChainQuestion,
  width: number,
  answerOf: (bin: number) => number,
): void {
  for (let row = 0; row < bins.length; row++) {
    const bin = u8At(bins, row);
    answers[row * width + place] = bin === NO_SCORE ? Number.NaN : answerOf(bin);
  }
}

/** Adds what so many rows of each content come to. */
function addSums(to: Float64Array, offset: number, contents: Contents, counts: Float64Array, from: number): void {
  const { sums, width, count } = contents;
  for (let id = 0; id < count; id++) {
    const rows = f64At(counts, from + id);
    if (rows === 0) continue;
    for (let i = 0; i < width; i++) to[offset + i] = f64At(to, offset + i) + rows * f64At(sums, id * width + i);
  }
}

/**
 * Sums of one task for each candidate of a question: rows of higher bins answer yes, all others no.
 * @param contents of the task's rows under yes and no
 * @param asked where it is asked under yes and no
 */
function sumsByCandidate(
  { candidates }: ChainQuestion,
  bins: Uint8Array,
  contents: readonly [Contents, Contents],
  asked: readonly [Uint8Array, Uint8Array],
): Float64Array[] {
  const binCount = candidates.length + 1;
  const { width } = contents[0];
  // of each bin
  const [yes, no] = [0, 1].map((side) => {
    const own = at(contents, side);
    const counts = countByBin(bins, binCount, own, at(asked, side));
    const sums = new Float64Array(binCount * width);
    for (let bin = 0; bin < binCount; bin++) addSums(sums, bin * width, own, counts, bin * own.count);
    return sums;
  }) as [Float64Array, Float64Array];
  const running = new Float64Array(width);
  for (let bin = 1; bin < binCount; bin++) {
    for (let i = 0; i < width; i++) running[i] = f64At(running, i) + f64At(yes, bin * width + i);
  }
  for (let i = 0; i < width; i++) running[i] = f64At(running, i) + f64At(no, i);
  return Array.from(candidates, (_, j) => {
    // the candidate above the bin makes its rows answer no
    for (let i = 0; j > 0 && i < width; i++) {
      running[i] = f64At(running, i) - f64At(yes, j * width + i) + f64At(no, j * width + i);
    }
    return running.slice();
  });
}

/** Rows that are asked, by bin and content; where nothing is decided, as in the lowest bin. */
function countByBin(bins: Uint8Array, binCount: number, { ids, count }: Contents, asked: Uint8Array): Float64Array {
  const counts = new Float64Array(binCount * count);
  for (let row = 0; row < bins.length; row++) {
    if (asked[row] === 0) continue;
    const bin = u8At(bins, row);
    const index = (bin === NO_SCORE ? 0 : bin) * count + u32At(ids, row);
    counts[index] = f64At(counts, index) + 1;
  }
  return counts;
}
