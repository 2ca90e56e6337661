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

/**
 * The set of questions of the largest expected gain per second that leaves out nothing which has to be asked first. Each
 * question with what it comes after is tried as a start, and what is open then is added as long as it raises the ratio,
 * the best first (the ratio rule of Sidney, Operations Research 23, 1975, which is exact where everything hangs on one
 * gate above it).
 * @returns null where nothing has a gain
 */
export function bestBundle(questions: readonly OpenQuestion[]): Bundle | null {
  const own = {
    before: closures(questions),
    gains: questions.map(expectedGain),
    seconds: questions.map(expectedSeconds),
  };
  let best: { readonly chosen: Uint8Array; readonly density: number } | null = null;
  for (const start of questions.keys()) {
    const { chosen, gain, seconds } = grown(own, start);
    const density = gain / seconds;
    if (gain > 0 && (best === null || density > best.density * (1 + 1e-12))) best = { chosen, density };
  }
  if (best === null) return null;
  const { chosen } = best;
  return bundleOf(questions.filter((_, i) => u8At(chosen, i) === 1));
}

const expectedGain = ({ asked, gain }: OpenQuestion): number => asked * gain;
const expectedSeconds = ({ asked, seconds }: OpenQuestion): number => asked * seconds;

export function densityOf({ gain, seconds }: Pick<Bundle, "gain" | "seconds">): number {
  return gain / seconds;
}

/** Of each question its place and those of all that come before it. */
function closures(questions: readonly OpenQuestion[]): number[][] {
  const placeOf = new Map(questions.map(({ task }, i) => [task, i]));
  const found: (number[] | undefined)[] = questions.map(() => undefined);
  const closureOf = (place: number): number[] => {
    const known = found[place];
    if (known !== undefined) return known;
    const all = new Set([place]);
    for (const task of at(questions, place).after) {
      const gate = placeOf.get(task);
      if (gate !== undefined) for (const one of closureOf(gate)) all.add(one);
    }
    const closure = [...all];
    found[place] = closure;
    return closure;
  };
  return questions.map((_, place) => closureOf(place));
}

interface Numbers {
  readonly before: readonly (readonly number[])[];
  readonly gains: readonly number[];
  readonly seconds: readonly number[];
}

/** What a start grows to; plain loops, as every row of a table comes through here many times. */
function grown(
  { before, gains, seconds }: Numbers,
  start: number,
): { readonly chosen: Uint8Array; readonly gain: number; readonly seconds: number } {
  const chosen = new Uint8Array(gains.length);
  let [gain, time] = [0, 0];
  let next = start;
  while (next >= 0) {
    for (const place of at(before, next)) {
      if (u8At(chosen, place) === 1) continue;
      chosen[place] = 1;
      gain += at(gains, place);
      time += at(seconds, place);
    }
    next = -1;
    let most = gain / time;
    for (let place = 0; place < chosen.length; place++) {
      if (u8At(chosen, place) === 1) continue;
      let [moreGain, moreTime] = [0, 0];
      for (const one of at(before, place)) {
        if (u8At(chosen, one) === 1) continue;
        moreGain += at(gains, one);
        moreTime += at(seconds, one);
      }
      const added = moreGain / moreTime;
      if (added > most) [next, most] = [place, added];
    }
  }
  return { chosen, gain, seconds: time };
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
