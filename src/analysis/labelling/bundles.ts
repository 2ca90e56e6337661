/** @file Questions of one row that are worth asking together: a gate with what it opens. */
import { at, u8At } from "../../arrays.js";

/** An empty cell of a row. */
export interface OpenQuestion {
  /** Index of its task. */
  readonly task: number;
  /** Tasks whose cells must be filled first, because nobody knows yet whether this one is asked. */
  readonly after: readonly number[];
  /** Probability that it is asked. */
  readonly asked: number;
  /** Gain of its label where it is asked, and seconds that labelling it takes. */
  readonly gain: number;
  readonly seconds: number;
}

/** Questions in the order in which they are asked. */
export interface Bundle {
  readonly questions: readonly OpenQuestion[];
  /** Expected: what is not asked in the end brings nothing and takes no time. */
  readonly gain: number;
  readonly seconds: number;
}

// a question that brings less than this share of what its row brings per second is left out; half, and not one, as gains
// are estimates, and every label of a row teaches the layers that its questions share
const KEEP = 0.5;

/**
 * All questions of a row but those that are clearly not worth their time: of the questions that none of the others comes
 * after, the one of the least gain per second is left out for as long as that is below half of the row's, and for as long
 * as there are more questions than `room`.
 * @param room expected number of questions that the bundle may have at most
 * @returns null where nothing that has a gain is left
 */
export function rowBundle(questions: readonly OpenQuestion[], room = Number.POSITIVE_INFINITY): Bundle | null {
  const placeOf = new Map(questions.map(({ task }, i) => [task, i]));
  const before = questions.map(({ after }) => after.flatMap((task) => placeOf.get(task) ?? []));
  const waiting = new Int32Array(questions.length);
  for (const gates of before) for (const gate of gates) waiting[gate] = at(waiting, gate) + 1;
  const chosen = new Uint8Array(questions.length).fill(1);
  let [gain, seconds, size] = [0, 0, 0];
  for (const question of questions) {
    gain += expectedGain(question);
    seconds += expectedSeconds(question);
    size += question.asked;
  }
  for (;;) {
    // rounded sums of probabilities are no reason to leave one out
    const isTooMuch = size > room + 1e-9;
    let [worst, least] = [-1, isTooMuch ? Number.POSITIVE_INFINITY : (KEEP * gain) / seconds];
    for (let i = 0; i < chosen.length; i++) {
      const question = at(questions, i);
      if (u8At(chosen, i) === 0 || at(waiting, i) > 0 || question.gain >= least * question.seconds) continue;
      [worst, least] = [i, question.gain / question.seconds];
    }
    if (worst < 0) break;
    chosen[worst] = 0;
    gain -= expectedGain(at(questions, worst));
    seconds -= expectedSeconds(at(questions, worst));
    size -= at(questions, worst).asked;
    for (const gate of at(before, worst)) waiting[gate] = at(waiting, gate) - 1;
  }
  const kept = questions.filter((_, i) => u8At(chosen, i) === 1);
  return kept.some(({ asked, gain: own }) => asked * own > 0) ? bundleOf(kept) : null;
}

const expectedGain = ({ asked, gain }: OpenQuestion): number => asked * gain;
const expectedSeconds = ({ asked, seconds }: OpenQuestion): number => asked * seconds;

export function densityOf({ gain, seconds }: Pick<Bundle, "gain" | "seconds">): number {
  return gain / seconds;
}

function bundleOf(questions: readonly OpenQuestion[]): Bundle {
  const sum = (of: (question: OpenQuestion) => number): number => questions.reduce((all, one) => all + of(one), 0);
  return { questions, gain: sum(expectedGain), seconds: sum(expectedSeconds) };
}

/** What is left of a row's questions once some are answered: they come after nothing that is among them. */
export function withoutBundle(questions: readonly OpenQuestion[], { questions: asked }: Bundle): OpenQuestion[] {
  const gone = new Set(asked.map(({ task }) => task));
  return questions.filter(({ task }) => !gone.has(task));
}

/** Expected number of questions. */
export function sizeOf({ questions }: Bundle): number {
  return questions.reduce((sum, { asked }) => sum + asked, 0);
}
