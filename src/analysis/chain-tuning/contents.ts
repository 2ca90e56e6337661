/** @file What a row is to its task: due or not, with which label, and which answer; alike rows are counted together. */
import { at, f32At, f64At, i32At, u32At, u8At } from "../../arrays.js";
import { ASKED, NOT_ASKED } from "../../flow/asked.js";
import { type AnswerColumn, answerWidth } from "../../flow/masks.js";
import { behaviourOf } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";
import { BOTH, GIVEN, RIGHT, sumsWidth, TARGETS } from "./objective.js";

/** Kinds of rows of one task, by all that sums are made of. */
export interface Contents {
  /** Of each row. */
  readonly ids: Uint32Array;
  readonly count: number;
  /** What each kind adds to the sums of its task where it is asked. Shape [count, width] */
  readonly sums: Float64Array;
  readonly width: number;
  readonly due: number;
  readonly truths: readonly number[];
}

/** Rows in groups. */
interface Groups {
  readonly ids: Uint32Array;
  readonly firstRows: readonly number[];
}

/** What is known of a row before it is answered: surely not due, due and labelled, or neither. */
const FATES = { notDue: 0, due: 1, leftOut: 2 } as const;
const FATE_COUNT = 3;

/** Tells rows of one task apart, first by labels and then by answers. */
export class TaskContents {
  readonly #task: ScoredTask;
  readonly #tolerance: number;
  readonly #fates: Uint8Array;
  /** Rows that are alike in what the labels say. */
  readonly #labelled: Groups;

  /** @param due whether the question is due, see `askedByLabels` */
  constructor(task: ScoredTask, due: Uint8Array, tolerance: number) {
    this.#task = task;
    this.#tolerance = tolerance;
    this.#fates = due.map((status, row) => {
      if (status === NOT_ASKED) return FATES.notDue;
      return status === ASKED && u8At(task.labelled, row) === 1 ? FATES.due : FATES.leftOut;
    });
    const all: Groups = { ids: new Uint32Array(due.length), firstRows: due.length === 0 ? [] : [0] };
    const byFate = refined(all, this.#fates, FATE_COUNT);
    this.#labelled = this.#targets === 0 ? byFate : this.#byValues(byFate, task.labels.answers);
  }

  get #form() {
    return behaviourOf(this.#task.task.spec).endToEnd;
  }
  get #targets(): number {
    return this.#form?.targets(this.#task.task.spec).length ?? 0;
  }

  /** @param decoded answers to look at */
  of(decoded: AnswerColumn): Contents {
    const { ids, firstRows } = this.#groups(decoded);
    const [targets, form] = [this.#targets, this.#form];
    const { spec } = this.#task.task;
    const width = sumsWidth(targets);
    const sums = new Float64Array(firstRows.length * width);
    const truths = new Array<number>(targets).fill(0);
    const rows = countsOf(ids, firstRows.length);
    let due = 0;
    firstRows.forEach((row, id) => {
      const fate = u8At(this.#fates, row);
      if (fate === FATES.leftOut || form === null) return;
      const isDue = fate === FATES.due;
      due += isDue ? f64At(rows, id) : 0;
      sums[id * width + BOTH] = Number(isDue);
      sums[id * width + GIVEN] = 1;
      sums[id * width + RIGHT] = isDue ? this.#rightAt(row, decoded) : 0;
      for (let i = 0; i < targets; i++) {
        const truth = isDue ? form.says(spec, this.#task.labels.answers, row, i) : false;
        if (truth === undefined) continue;
        const isSaid = form.says(spec, decoded, row, i) === true;
        truths[i] = at(truths, i) + (truth ? f64At(rows, id) : 0);
        sums[id * width + TARGETS + 2 * i] = Number(isSaid && truth);
        sums[id * width + TARGETS + 2 * i + 1] = Number(isSaid);
      }
    });
    return { ids, count: firstRows.length, sums, width, due, truths };
  }

  /** What has targets is right by what is said; numbers are one by one. */
  #groups(decoded: AnswerColumn): Groups {
    if (this.#targets > 0) return this.#byValues(this.#labelled, decoded);
    const answered = this.#answered(decoded);
    const right = this.#fates.map((fate, row) =>
      fate === FATES.due && this.#rightAt(row, decoded, answered) > 0 ? 1 : 0,
    );
    return refined(this.#labelled, right, 2);
  }

  #rightAt(row: number, decoded: AnswerColumn, answered = this.#answered(decoded)): number {
    return this.#form?.right(answered, row, this.#tolerance) ?? 0;
  }

  #answered(decoded: AnswerColumn) {
    return { spec: this.#task.task.spec, decoded, labels: this.#task.labels };
  }

  /** @param answers whole numbers: truths, or places of classes */
  #byValues(groups: Groups, answers: AnswerColumn): Groups {
    const width = answerWidth(this.#task.task.spec);
    let finer = groups;
    for (let place = 0; place < width; place++) {
      const codes = new Uint16Array(groups.ids.length);
      let most = 0;
      for (let row = 0; row < codes.length; row++) {
        const answer = f32At(answers, row * width + place);
        const code = Number.isNaN(answer) ? 0 : answer + 1;
        codes[row] = code;
        if (code > most) most = code;
      }
      finer = refined(finer, codes, most + 1);
    }
    return finer;
  }
}

function countsOf(ids: Uint32Array, count: number): Float64Array {
  const counts = new Float64Array(count);
  for (let row = 0; row < ids.length; row++) counts[u32At(ids, row)] = f64At(counts, u32At(ids, row)) + 1;
  return counts;
}

/** Groups that are alike in a column, too. @param values how many the column may have */
function refined(groups: Groups, column: Uint8Array | Uint16Array, values: number): Groups {
  const idOf = new Int32Array(groups.firstRows.length * values).fill(-1);
  const ids = new Uint32Array(groups.ids.length);
  const firstRows: number[] = [];
  for (let row = 0; row < ids.length; row++) {
    const key = u32At(groups.ids, row) * values + at(column, row);
    let id = i32At(idOf, key);
    if (id < 0) {
      id = firstRows.push(row) - 1;
      idOf[key] = id;
    }
    ids[row] = id;
  }
  return { ids, firstRows };
}
