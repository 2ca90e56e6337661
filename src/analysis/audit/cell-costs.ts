/** @file What it costs that one cell is as it is, is changed, or is emptied: the terms of a joint repair. */
import { at, f32At } from "../../arrays.js";
import { unitScaleAt } from "../../decoding/decoders.js";
import type { ScoredTask } from "../score.js";
import { choiceProbabilities, numbersOf, questionProbabilities } from "./forms.js";
import { type Signatures, signatureOf, truthsOf } from "./lattice.js";
import { errorCost } from "./residuals.js";
import { numbersCost, type TaskModel, withoutNoise } from "./task-model.js";

/** Another answer of a cell. */
export interface Change {
  readonly cost: number;
  /** −log of the sum of exp(−cost) over all changes to the same signature. */
  readonly total: number;
  /** Numbers of the cheapest one. */
  readonly answer: readonly number[];
}

/** Costs of one cell in nats: negative log-likelihood under the network, and the price of a change. */
export interface CellCosts {
  readonly isFilled: boolean;
  /** Of the answer that stands there, where it is asked; −1 where there is none. */
  readonly signature: number;
  /** That the question is asked and the cell stays as it is. */
  readonly kept: number;
  /** That it is asked and the cell says something else, by signature; null where nothing else has it. */
  readonly changed: readonly (Change | null)[];
  /** That it is not asked, so that the cell is emptied if it is filled. */
  readonly unasked: number;
}

/** A cell that no repair changes: of a known task, or one that is not audited. @param empty what emptying it costs */
export function fixedCell(scored: ScoredTask, signatures: Signatures, row: number, empty: number): CellCosts {
  const isFilled = scored.labelled[row] === 1;
  const width = scored.labels.answers.length / scored.labelled.length;
  const signature = isFilled
    ? signatureOf(signatures, (label) => f32At(scored.labels.answers, row * width + label))
    : -1;
  const changed = signatures.truths.map(() => null);
  return { isFilled, signature, kept: 0, changed, unasked: isFilled ? empty : 0 };
}

/** @param scored the task's answers and labels */
export function cellCosts(scored: ScoredTask, model: TaskModel, signatures: Signatures, row: number): CellCosts {
  const isFilled = scored.labelled[row] === 1;
  const own = ownCosts(scored, model, signatures, row, isFilled);
  return {
    isFilled,
    signature: isFilled ? own.signature : -1,
    kept: isFilled ? own.kept : model.missing,
    changed: own.changed,
    unasked: isFilled ? model.price : 0,
  };
}

type OwnCosts = Pick<CellCosts, "signature" | "kept" | "changed">;

function ownCosts(
  scored: ScoredTask,
  model: TaskModel,
  signatures: Signatures,
  row: number,
  isFilled: boolean,
): OwnCosts {
  const { form } = model;
  switch (form.kind) {
    case "choice": {
      const clean = withoutNoise(choiceProbabilities(scored, form.values, row), at(model.errorRates, 0));
      return choiceCosts(clean, isFilled ? f32At(scored.labels.answers, row) : null, signatures, model.price);
    }
    case "questions": {
      const yes = questionProbabilities(scored, form.width, row).map((probability, question) =>
        at(withoutNoise([1 - probability, probability], at(model.errorRates, question)), 1),
      );
      const label = isFilled
        ? Array.from(scored.labels.answers.subarray(row * form.width, (row + 1) * form.width))
        : null;
      return questionCosts(yes, label, signatures, model.price);
    }
    case "numbers":
      return numberCosts(scored, model, signatures, row, isFilled);
    default:
      return form satisfies never;
  }
}

/** @param label null where there is none */
export function choiceCosts(
  probabilities: readonly number[],
  label: number | null,
  signatures: Signatures,
  price: number,
): OwnCosts {
  const sums = signatures.truths.map(() => 0);
  const best = signatures.truths.map((): number | null => null);
  probabilities.forEach((probability, value) => {
    if (value === label) return;
    const signature = signatureOf(signatures, () => value);
    sums[signature] = at(sums, signature) + probability;
    const known = best[signature];
    if (known == null || probability > at(probabilities, known)) best[signature] = value;
  });
  return {
    signature: label === null ? -1 : signatureOf(signatures, () => label),
    kept: label === null ? 0 : -Math.log(at(probabilities, label)),
    changed: best.map((value, signature) =>
      value === null
        ? null
        : {
            cost: price - Math.log(at(probabilities, value)),
            total: price - Math.log(at(sums, signature)),
            answer: [value],
          },
    ),
  };
}

/** @param label numbers of the cell, NaN where one is unknown; null where there is none */
export function questionCosts(
  yes: readonly number[],
  label: readonly number[] | null,
  signatures: Signatures,
  price: number,
): OwnCosts {
  const costOf = (question: number, answer: number): number =>
    -Math.log(answer >= 0.5 ? at(yes, question) : 1 - at(yes, question));
  const isRead = (question: number): boolean =>
    signatures.atoms.some((atom) => (atom.kind === "has" ? atom.label : 0) === question);
  const kept = label === null ? 0 : sum(label.map((answer, q) => (Number.isNaN(answer) ? 0 : costOf(q, answer))));
  const signature = label === null ? -1 : signatureOf(signatures, (question) => at(label, question));
  const changed = signatures.truths.map((truths, s): Change | null => {
    const wanted = yes.map((probability, question) => {
      const atom = signatures.atoms.findIndex((one) => (one.kind === "has" ? one.label : 0) === question);
      return atom < 0 ? Number(probability >= 0.5) : at(truths, atom);
    });
    const cost = sum(wanted.map((answer, question) => costOf(question, answer)));
    // all sets of this signature together; of those the one that stands there is no change
    const all = sum(wanted.map((answer, question) => (isRead(question) ? costOf(question, answer) : 0)));
    if (label === null || s !== signature) return { cost: price + cost, total: price + all, answer: wanted };
    const rest = Math.exp(-all) - Math.exp(-kept);
    const other = isSame(wanted, label) ? nextBest(wanted, costOf, isRead) : { answer: wanted, cost };
    if (other === null) return null;
    return {
      cost: price + other.cost,
      total: price - Math.log(Math.max(rest, Math.exp(-other.cost))),
      answer: other.answer,
    };
  });
  return { signature, kept, changed };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.every((answer, i) => Number.isNaN(at(b, i)) || answer === at(b, i));
}

/** The cheapest other set of the same signature: with one question that no condition reads the other way round. */
function nextBest(
  answer: readonly number[],
  costOf: (question: number, answer: number) => number,
  isRead: (question: number) => boolean,
): { readonly answer: readonly number[]; readonly cost: number } | null {
  const free = answer.flatMap((_, question) => (isRead(question) ? [] : [question]));
  const extra = (question: number): number =>
    costOf(question, 1 - at(answer, question)) - costOf(question, at(answer, question));
  const [first, ...more] = free;
  if (first === undefined) return null;
  const flipped = more.reduce((best, question) => (extra(question) < extra(best) ? question : best), first);
  const other = answer.map((one, question) => (question === flipped ? 1 - one : one));
  return { answer: other, cost: sum(other.map((one, question) => costOf(question, one))) };
}

function numberCosts(
  scored: ScoredTask,
  { scales, price }: TaskModel,
  signatures: Signatures,
  row: number,
  isFilled: boolean,
): OwnCosts {
  const { spec } = scored.task;
  const { unitScale, answers } = scored.labels;
  const width = answers.length / scored.labelled.length;
  const decoded = Array.from(scored.decoded.subarray(row * width, (row + 1) * width));
  const changed = signatures.truths.map((truths): Change | null => {
    if (width > 1 || signatures.atoms.length === 0) return { cost: price, total: price, answer: decoded };
    // what the network says, moved to where the statements are as this signature has them
    const answer = placed(signatures, truths, at(decoded, 0));
    if (Number.isNaN(answer)) return null;
    const moved = (answer - at(decoded, 0)) / unitScaleAt(unitScale, row);
    const cost = price + errorCost(moved, { ...at(scales, 0), centre: 0 });
    return { cost, total: cost, answer: [answer] };
  });
  if (!isFilled) return { signature: -1, kept: 0, changed };
  const answered = numbersOf(spec, scored.decoded, unitScale, row);
  const errors = numbersOf(spec, answers, unitScale, row).map((label, axis) => label - at(answered, axis));
  return {
    signature: signatureOf(signatures, (i) => f32At(answers, row * width + i)),
    kept: numbersCost(errors, scales),
    changed,
  };
}

/** The number nearest to `value` of which the statements have these truths; NaN where there is none. */
function placed({ atoms }: Signatures, truths: readonly number[], value: number): number {
  const holds = (number: number): boolean => truthsOf(atoms, () => number).every((truth, a) => truth === at(truths, a));
  const bounds = atoms.flatMap((atom) => ("value" in atom ? [Math.fround(atom.value)] : []));
  const near = [value, ...bounds, ...bounds.map(beforeSingle)].filter(holds);
  return near.reduce(
    (best, number) => (Math.abs(number - value) < Math.abs(best - value) || Number.isNaN(best) ? number : best),
    Number.NaN,
  );
}

/** The largest number in single precision below one, as labels are kept. */
function beforeSingle(value: number): number {
  const bits = new Int32Array(new Float32Array([value]).buffer);
  if (value === 0) return -1.401298464324817e-45;
  bits[0] = (bits[0] ?? 0) + (value > 0 ? -1 : 1);
  return f32At(new Float32Array(bits.buffer), 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
