/** @file Metrics of yes-or-no questions, one by one and averaged over several of the same row. */
import { f32At, f64At, u8At } from "../../arrays.js";
import { doubles, inScratch } from "../scratch.js";
import { lazily } from "../../tasks/metrics/table.js";
import { cohenKappa, matthewsCorrelation } from "../../tasks/metrics/decisions.js";
import { macroAverage, weightedAverage } from "../../tasks/metrics/averages.js";
import { negativeLogLikelihood } from "../../tasks/metrics/log-loss.js";
import { type Area, precisionArea, rocArea, rocInterval, scoreOrder } from "./areas.js";
import { type ClassMetric, classInterval } from "./classes.js";
import { shareInterval, wilson } from "./shares.js";
import {
  addInfluence,
  type Interval,
  intervalOn,
  isFlat,
  LOGIT,
  meanInterval,
  type Spread,
  spreadOf,
  spreadOfUnits,
  type Units,
} from "./spread.js";

/** Known answers to one question; all columns are over them. */
export interface Question {
  /** Places in the task's arrays. */
  readonly entries: Int32Array;
  /** 1 for yes. */
  readonly truths: Uint8Array;
  readonly decisions: Uint8Array;
  /** Null where answers have none. */
  readonly scores: Float32Array | null;
  readonly units: Units;
}

/** A metric of one question: its value, what each answer adds to it, and its own interval. */
interface Estimate {
  readonly value: number;
  /** [answers], computed when it is asked for. */
  readonly influence: () => Float64Array;
  readonly interval: () => Interval | null;
}

/** Metrics of a question by name; null where one is undefined. */
type Estimates = Readonly<Record<string, () => Estimate | null>>;

const CLASS_METRICS: Readonly<Record<string, { readonly metric: ClassMetric; readonly isShare: boolean }>> = {
  matthews_correlation: { metric: matthewsCorrelation, isShare: false },
  cohen_kappa: { metric: cohenKappa, isShare: false },
  ...Object.fromEntries(
    (["f1_score", "precision", "recall"] as const).flatMap((name) => [
      [`${name}_macro`, { metric: (classes) => macroAverage(classes, name), isShare: true }],
      [`${name}_weighted`, { metric: (classes) => weightedAverage(classes, name), isShare: true }],
    ]),
  ),
};

/** Metrics of two classes or more by name, of any classes. */
export const classMetrics = CLASS_METRICS;

/** A question whose metrics are computed once, for itself and for averages. */
export interface MeasuredQuestion {
  readonly question: Question;
  readonly estimates: Estimates;
}

export function measured(question: Question): MeasuredQuestion {
  const estimates = Object.entries(estimatesOf(question)).map(([name, estimate]) => [name, lazily(estimate)] as const);
  return { question, estimates: Object.fromEntries(estimates) };
}

/** Intervals of the metrics of one question. @returns by name of the metric; undefined for one that is not known here */
export function questionIntervals({
  question,
  estimates,
}: MeasuredQuestion): (name: string) => Interval | null | undefined {
  return (name) => {
    const estimate = estimates[name];
    if (estimate !== undefined) return estimate()?.interval() ?? null;
    const ofClasses = CLASS_METRICS[name];
    return ofClasses === undefined ? undefined : asClasses(question, ofClasses.metric, ofClasses.isShare);
  };
}

function asClasses(question: Question, metric: ClassMetric, isShare: boolean) {
  const { entries, truths, decisions, units } = question;
  const [label, answer] = [(i: number) => u8At(truths, i), (i: number) => u8At(decisions, i)];
  // the four cells are in the order of labels and answers
  const counts = () => cellsOf(question);
  return classInterval(metric, { classes: 2, entries, label, answer, units, counts }, isShare);
}

/** scikit-learn's 0 of nothing: it counts in averages, and no interval is known of it. */
function nothing({ truths }: Question): Estimate | null {
  return truths.length === 0
    ? null
    : {
        value: 0,
        influence: () => doubles(truths.length),
        interval: () => null,
      };
}

/** Counts of an answer's four cells: truth × 2 + decision. */
function cellsOf({ truths, decisions }: Question): Float64Array {
  const cells = new Float64Array(4);
  for (let i = 0; i < truths.length; i++) {
    const cell = u8At(truths, i) * 2 + u8At(decisions, i);
    cells[cell] = f64At(cells, cell) + 1;
  }
  return cells;
}

/** Whether a cell belongs to a share, and whether it is what is counted of it. */
interface CellShare {
  readonly of: readonly [number, number, number, number];
  readonly counted: readonly [number, number, number, number];
}

// cells: true negatives, false positives, false negatives, true positives
const SHARES: Readonly<Record<string, CellShare>> = {
  accuracy: { of: [1, 1, 1, 1], counted: [1, 0, 0, 1] },
  precision: { of: [0, 1, 0, 1], counted: [0, 0, 0, 1] },
  recall: { of: [0, 0, 1, 1], counted: [0, 0, 0, 1] },
};
/** F* = TP / (TP + FP + FN), of which F1 = 2F* / (1 + F*) is a function: Hand, Christen & Kirielle, Machine Learning 110 (2021). */
const F_STAR: CellShare = { of: [0, 1, 1, 1], counted: [0, 0, 0, 1] };

const NO_SCORES = new Float32Array(0);

function estimatesOf(question: Question): Estimates {
  const cells = lazily(() => cellsOf(question));
  const cellAt = (i: number): number => u8At(question.truths, i) * 2 + u8At(question.decisions, i);
  const share = (kind: CellShare, from: (share: number) => number, slope: (share: number) => number) => () => {
    const counts = cells();
    const sum = (weights: readonly number[]): number =>
      weights.reduce((all, own, i) => all + own * f64At(counts, i), 0);
    const [of, counted] = [sum(kind.of), sum(kind.counted)];
    if (of === 0) return nothing(question);
    const own = counted / of;
    const effects = kind.of.map((part, cell) => (slope(own) * part * ((kind.counted[cell] ?? 0) - own)) / of);
    return {
      value: from(own),
      influence: () => {
        const influence = doubles(question.truths.length);
        for (let i = 0; i < influence.length; i++) influence[i] = effects[cellAt(i)] ?? 0;
        return influence;
      },
      interval: () => transformed(shareOf(question, kind, cellAt, counted, of), from),
    };
  };
  const order = lazily(() => scoreOrder({ scores: question.scores ?? NO_SCORES, truths: question.truths }));
  const isScored = lazily(() => question.scores !== null && isKnown(question.scores));
  const area = (of: typeof precisionArea, interval: (found: Area) => Interval | null) => (): Estimate | null => {
    if (!isScored()) return null;
    const found = of(order());
    // scikit-learn's average precision without any yes is 0, while an area under the ROC curve is undefined
    if (found === null) return of === precisionArea ? nothing(question) : null;
    return {
      value: found.value,
      influence: found.influence,
      interval: () => interval(found),
    };
  };
  const { entries, truths, scores, units } = question;
  const spreadOfArea = ({ influence, spread }: Area): Spread =>
    units.of === null ? spread() : spreadOf(entries, influence(), units);
  return {
    ...Object.fromEntries(
      Object.entries(SHARES).map(([name, kind]) => [
        name,
        share(
          kind,
          (x) => x,
          () => 1,
        ),
      ]),
    ),
    f1_score: share(
      F_STAR,
      (x) => (2 * x) / (1 + x),
      (x) => 2 / (1 + x) ** 2,
    ),
    roc_auc: area(rocArea, (found) => {
      const { value } = found;
      const yes = f64At(cells(), 2) + f64At(cells(), 3);
      const spread = spreadOfArea(found);
      // DeLong's divisors stand in the influences of single answers
      const variance = units.of === null ? (spread.variance * (spread.units - 1)) / spread.units : spread.variance;
      return rocInterval(value, { ...spread, variance }, yes, truths.length - yes);
    }),
    average_precision: area(precisionArea, (found) => {
      const { value } = found;
      const spread = spreadOfArea(found);
      const yes = f64At(cells(), 2) + f64At(cells(), 3);
      // the mean of the precisions at as many yes
      return isFlat(value, spread) || value === 1 ? wilson(1, yes) : intervalOn(value, spread, LOGIT);
    }),
    log_loss: () => {
      if (scores === null || truths.length === 0) return null;
      const losses = doubles(truths.length);
      let sum = 0;
      for (let i = 0; i < truths.length; i++) {
        const own = negativeLogLikelihood(u8At(truths, i) === 1 ? f32At(scores, i) : 1 - f32At(scores, i));
        losses[i] = own;
        sum += own;
      }
      const value = sum / truths.length;
      const influence = (): Float64Array => {
        const own = doubles(losses.length);
        for (let i = 0; i < losses.length; i++) own[i] = (f64At(losses, i) - value) / losses.length;
        return own;
      };
      const interval = (): Interval | null =>
        meanInterval(value, spreadOf(entries, losses, units, value, losses.length), [0, Number.POSITIVE_INFINITY]);
      return Number.isNaN(value) ? null : { value, influence, interval };
    },
  };
}

function isKnown(scores: Float32Array): boolean {
  // a loop of its own is several times as fast as `some`
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(f32At(scores, i))) return false;
  return true;
}

/** Of single answers from two counts, of groups from the answers themselves. */
function shareOf(
  { entries, units }: Question,
  kind: CellShare,
  cellAt: (i: number) => number,
  counted: number,
  of: number,
): Interval | null {
  if (units.of === null) return wilson(counted / of, of);
  const places = Int32Array.from({ length: of });
  let next = 0;
  for (let i = 0; i < entries.length; i++) if (kind.of[cellAt(i)] === 1) places[next++] = i;
  const own = places.map((i) => entries[i] ?? 0);
  return shareInterval({ entries: own, value: (i) => kind.counted[cellAt(places[i] ?? 0)] ?? 0, units });
}

function transformed(interval: Interval | null, from: (end: number) => number): Interval | null {
  return interval === null ? null : [from(interval[0]), from(interval[1])];
}

/**
 * Intervals of metrics that are averaged over questions of the same rows, without weights, over those on which one is
 * defined. What a row adds is the sum of what its answers add. Where no row adds anything, the ends are the averages of
 * those of the single questions, which is wider than need be.
 * @param rows of the task's arrays
 */
export function averageIntervals(
  questions: readonly MeasuredQuestion[],
  rows: number,
  units: Units,
): (name: string) => Interval | null | undefined {
  return (name) => {
    if (!questions.some(({ estimates }) => estimates[name] !== undefined)) return undefined;
    const defined = questions.map(({ estimates }) => estimates[name]?.() ?? null);
    const used = defined.filter((own) => own !== null);
    if (used.length === 0) return null;
    const value = used.reduce((sum, own) => sum + own.value, 0) / used.length;
    const spread = inScratch(() => {
      const sums = doubles(units.of === null ? rows : units.count).fill(Number.NaN);
      defined.forEach((own, q) => {
        const question = questions[q];
        if (own === null || question === undefined) return;
        const { entries } = question.question;
        inScratch(() => addInfluence(sums, entries, own.influence(), 1 / used.length, units.of));
      });
      return spreadOfUnits(sums);
    });
    if (!isFlat(value, spread)) {
      if (name === "log_loss") return meanInterval(value, spread, [0, Number.POSITIVE_INFINITY]);
      return intervalOn(value, spread, LOGIT);
    }
    const single = used.map((own) => own.interval());
    const ends = single.filter((own) => own !== null);
    if (ends.length < single.length) return null;
    const average = (end: 0 | 1): number => ends.reduce((sum, own) => sum + own[end], 0) / ends.length;
    return [average(0), average(1)];
  };
}
