/** @file Questions of one row that are worth asking together: a gate with what it opens. */

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
  const byTask = new Map(questions.map((question) => [question.task, question]));
  let best: Bundle | null = null;
  for (const start of questions) {
    const chosen = new Set<number>();
    take(start, byTask, chosen);
    const bundle = grown(questions, byTask, chosen);
    if (bundle.gain > 0 && (best === null || densityOf(bundle) > densityOf(best) * (1 + 1e-12))) best = bundle;
  }
  return best;
}

export function densityOf({ gain, seconds }: Pick<Bundle, "gain" | "seconds">): number {
  return gain / seconds;
}

/** With everything that comes before it. */
function take(question: OpenQuestion, byTask: ReadonlyMap<number, OpenQuestion>, chosen: Set<number>): void {
  if (chosen.has(question.task)) return;
  chosen.add(question.task);
  for (const task of question.after) {
    const gate = byTask.get(task);
    if (gate !== undefined) take(gate, byTask, chosen);
  }
}

function grown(
  questions: readonly OpenQuestion[],
  byTask: ReadonlyMap<number, OpenQuestion>,
  start: ReadonlySet<number>,
): Bundle {
  let chosen = new Set(start);
  let bundle = bundleOf(questions, chosen);
  for (;;) {
    let better: { readonly chosen: Set<number>; readonly bundle: Bundle; readonly added: number } | null = null;
    for (const question of questions) {
      if (chosen.has(question.task)) continue;
      const more = new Set(chosen);
      take(question, byTask, more);
      const larger = bundleOf(questions, more);
      const [gain, seconds] = [larger.gain - bundle.gain, larger.seconds - bundle.seconds];
      const added = gain / seconds;
      if (added > densityOf(bundle) && added > (better?.added ?? 0)) better = { chosen: more, bundle: larger, added };
    }
    if (better === null) return bundle;
    ({ chosen, bundle } = better);
  }
}

function bundleOf(questions: readonly OpenQuestion[], chosen: ReadonlySet<number>): Bundle {
  const own = questions.filter(({ task }) => chosen.has(task));
  return {
    questions: own,
    gain: own.reduce((sum, { asked, gain }) => sum + asked * gain, 0),
    seconds: own.reduce((sum, { asked, seconds }) => sum + asked * seconds, 0),
  };
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
