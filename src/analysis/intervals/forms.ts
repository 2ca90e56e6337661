/** @file How the metrics of each kind of task get their intervals: a table, closed by the compiler. */
import { f32At, f64At, i32At, u8At } from "../../arrays.js";
import { unitScaleAt } from "../../decoding/decoders.js";
import type { ClassificationSpec, OrdinalSpec, SpecOf, TaskKind, TaskSpec } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { behaviourOf, type Scored } from "../../tasks/index.js";
import { classesAhead } from "../../tasks/metrics/classes.js";
import { negativeLogLikelihood } from "../../tasks/metrics/log-loss.js";
import { lazily } from "../../tasks/metrics/table.js";
import { bytes, doubles, floats, integers } from "../scratch.js";
import { type ClassAnswers, classInterval, countClasses } from "./classes.js";
import { kappaInterval } from "./levels.js";
import {
  intervalOfDetermination,
  intervalOfMean,
  intervalOfRoot,
  type Numbers,
  placesWhere,
  valuesAt,
} from "./numbers.js";
import { averageIntervals, classMetrics, measured, type Question, questionIntervals } from "./questions.js";
import { shareInterval } from "./shares.js";
import type { Interval, Units } from "./spread.js";

/** By name of a metric; undefined where this form does not know it. */
export type IntervalsByName = (name: string) => Interval | null | undefined;

type Form<Spec extends TaskSpec> = (scored: Scored<Spec>, units: Units) => IntervalsByName;

const unknown: Form<TaskSpec> = () => () => undefined;

/** The rows of the mask whose label for one question is known, as `knownAnswers` has them. */
function questionOf(scored: Scored<SpecOf<"binary" | "multilabel">>, label: number, units: Units): Question {
  const { labels, mask, activated, decoded } = scored;
  const width = answerWidth(scored.spec);
  const entries = integers(mask.length);
  const truths = bytes(mask.length);
  const decisions = bytes(mask.length);
  const scores = floats(mask.length);
  let count = 0;
  for (let row = 0; row < mask.length; row++) {
    if (u8At(mask, row) === 0) continue;
    const place = row * width + label;
    const truth = f32At(labels.answers, place);
    if (Number.isNaN(truth)) continue;
    entries[count] = row;
    truths[count] = truth >= 0.5 ? 1 : 0;
    decisions[count] = f32At(decoded, place) >= 0.5 ? 1 : 0;
    scores[count] = f32At(activated, place);
    count++;
  }
  return {
    entries: entries.subarray(0, count),
    truths: truths.subarray(0, count),
    decisions: decisions.subarray(0, count),
    scores: scores.subarray(0, count),
    units,
  };
}

const multilabel: Form<SpecOf<"multilabel">> = (scored, units) => {
  const { labels } = scored.spec;
  const questions = labels.map((_, label) => measured(questionOf(scored, label, units)));
  const averages = averageIntervals(questions, scored.mask.length, units);
  const single = questions.map(questionIntervals);
  return (name) => {
    const cut = name.indexOf("/");
    if (cut < 0) return averages(name.replace(/_macro$/, ""));
    return single[labels.indexOf(name.slice(cut + 1))]?.(name.slice(0, cut));
  };
};

function classAnswers(
  { labels, decoded, mask }: Pick<Scored, "labels" | "decoded" | "mask">,
  classes: number,
  units: Units,
): ClassAnswers {
  const entries = placesWhere(mask, (row) => !Number.isNaN(f32At(labels.answers, row)));
  const answers = {
    classes,
    entries,
    label: (i: number): number => f32At(labels.answers, i32At(entries, i)),
    answer: (i: number): number => f32At(decoded, i32At(entries, i)),
  };
  return { ...answers, units, counts: lazily(() => countClasses(answers)) };
}

const classification: Form<ClassificationSpec> = (scored, units) => {
  const { spec, activated, labels } = scored;
  const answers = classAnswers(scored, spec.classes.length, units);
  const { entries, label, answer } = answers;
  return (name) => {
    const top = /^accuracy_(\d+)$/.exec(name)?.[1];
    if (top === "1") return shareInterval({ entries, units, value: (i) => hit(label(i), answer(i)) });
    if (top !== undefined) {
      const k = Number(top);
      return shareInterval({ entries, units, value: (i) => below(classesAhead(scored, i32At(entries, i)), k) });
    }
    if (name === "log_loss") {
      const lossAt = (row: number): number =>
        negativeLogLikelihood(f32At(activated, row * spec.classes.length + f32At(labels.answers, row)));
      return intervalOfMean({ entries, units, values: valuesAt(entries, lossAt) });
    }
    const averaged = classMetrics[name] ?? classMetrics[`${name}_macro`];
    return averaged === undefined ? undefined : classInterval(averaged.metric, answers, averaged.isShare);
  };
};

const hit = (label: number, answer: number): number => (Number.isNaN(answer) ? answer : Number(label === answer));
const below = (ahead: number, k: number): number => (Number.isNaN(ahead) ? ahead : Number(ahead < k));

const ordinal: Form<OrdinalSpec> = (scored, units) => {
  const answers = classAnswers(scored, scored.spec.levels.length, units);
  const { entries, label, answer } = answers;
  return (name) => {
    switch (name) {
      case "accuracy":
        return shareInterval({ entries, units, value: (i) => hit(label(i), answer(i)) });
      case "mean_absolute_error": {
        const error = (row: number): number => Math.abs(f32At(scored.decoded, row) - f32At(scored.labels.answers, row));
        return intervalOfMean({ entries, units, values: valuesAt(entries, error) });
      }
      case "quadratic_weighted_kappa":
        return kappaInterval(answers, 2);
      case "linear_weighted_kappa":
        return kappaInterval(answers, 1);
      default:
        return undefined;
    }
  };
};

/** @param rangeAt what an error of a row is divided by where it is normalized */
function numberForm<Spec extends TaskSpec>(rangeAt: (scored: Scored<Spec>, row: number) => number): Form<Spec> {
  return (scored, units) => {
    const { labels, decoded, mask } = scored;
    const entries = placesWhere(mask, (row) => !Number.isNaN(f32At(labels.answers, row)));
    const errors = doubles(entries.length);
    for (let i = 0; i < entries.length; i++) {
      const row = i32At(entries, i);
      errors[i] = Math.abs(f32At(decoded, row) - f32At(labels.answers, row));
    }
    const normalized = lazily(() => {
      const values = doubles(entries.length);
      for (let i = 0; i < entries.length; i++) values[i] = f64At(errors, i) / rangeAt(scored, i32At(entries, i));
      return values;
    });
    const of = (values: Float64Array): Numbers => ({ entries, units, values });
    return (name) => {
      switch (name) {
        case "mean_absolute_error":
          return intervalOfMean(of(errors));
        case "mean_absolute_error_normalized":
          return intervalOfMean(of(normalized()));
        case "root_mean_squared_error":
          return intervalOfRoot(of(squares(errors)));
        case "root_mean_squared_error_normalized":
          return intervalOfRoot(of(squares(normalized())));
        case "r2": {
          const known = valuesAt(entries, (row) => f32At(labels.answers, row));
          return intervalOfDetermination(of(squares(errors)), known);
        }
        default:
          return undefined;
      }
    };
  };
}

function squares(values: Float64Array): Float64Array {
  const squared = doubles(values.length);
  for (let i = 0; i < values.length; i++) squared[i] = f64At(values, i) ** 2;
  return squared;
}

const EACH = "mean_absolute_error/";

const figureForm: Form<SpecOf<"box" | "point">> = (scored, units) => {
  const { labels, decoded, mask } = scored;
  const spec: TaskSpec = scored.spec;
  const { metrics, judgement } = behaviourOf(spec);
  const each = metrics.facts(spec).flatMap(({ name }) => (name.startsWith(EACH) ? [name] : []));
  const width = each.length;
  const entries = placesWhere(mask, (row) => !Number.isNaN(f32At(labels.answers, row * width)));
  const of = (value: (row: number) => number): Numbers => ({ entries, units, values: valuesAt(entries, value) });
  const judged = (row: number): number => judgement?.valueAt({ spec, decoded, labels }, row, Number.NaN) ?? Number.NaN;
  const error = (place: number): number => Math.abs(f32At(decoded, place) - f32At(labels.answers, place));
  return (name) => {
    if (name === "mean_iou" || name === "iou_50") {
      const { values } = of(judged);
      const half = (iou: number): number => (Number.isNaN(iou) ? iou : Number(iou >= 0.5));
      const value = (i: number): number => (name === "iou_50" ? half(f64At(values, i)) : f64At(values, i));
      return shareInterval({ entries, units, value });
    }
    if (name === "mean_distance") return intervalOfMean(of(judged));
    if (name === "mean_absolute_error") {
      return intervalOfMean(of((row) => each.reduce((sum, _, i) => sum + error(row * width + i), 0) / width));
    }
    const i = each.indexOf(name);
    return i < 0 ? undefined : intervalOfMean(of((row) => error(row * width + i)));
  };
};

const forms: { readonly [K in TaskKind]: Form<SpecOf<K>> } = {
  binary: (scored, units) => questionIntervals(measured(questionOf(scored, 0, units))),
  multilabel,
  classification,
  ordinal,
  boundedRegression: numberForm(({ spec, labels }, row) => (spec.max - spec.min) * unitScaleAt(labels.unitScale, row)),
  regression: numberForm(() => 1),
  box: figureForm,
  point: figureForm,
  maskedLanguageModeling: unknown,
  known: unknown,
  custom: unknown,
};

/** Intervals of the metrics of one task over the rows that its mask selects. */
export function intervalForm<Spec extends TaskSpec>(scored: Scored<Spec>, units: Units): IntervalsByName {
  // the table pairs every kind with its own spec; the compiler cannot follow the index
  return (forms[scored.spec.kind] as Form<TaskSpec>)(scored, units);
}
