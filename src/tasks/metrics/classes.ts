/** @file Metrics of classification tasks: top-k accuracy and macro averages. */
import type { ClassificationSpec } from "../../flow/graph.js";
import type { MetricValue, Scored } from "../behaviour.js";
import { type Confusion, decisionMetrics } from "./decisions.js";

const TOP_K = [3, 5] as const;
const MACRO = ["f1_score", "precision", "recall"] as const;

/**
 * accuracy_1 (of the decoded class), accuracy_3 and accuracy_5 (those below the number of classes), and macro
 * f1_score, precision and recall over the classes that occur among labels or decoded answers, as in scikit-learn.
 * All are null without rows.
 *
 * Equal scores: the decoded class is the first of them (`numpy.argmax`), so accuracy_1 is `accuracy_score`; among the
 * first k, later classes come first, as in `top_k_accuracy_score`.
 */
export function classificationMetrics(scored: Scored<ClassificationSpec>): MetricValue[] {
  const rows = knownRows(scored);
  const count = rows.length;
  const value = (metric: () => number): number | null => (count === 0 ? null : metric());
  const confusions = classConfusions(scored, rows);
  const correct = confusions.reduce((sum, { truePositives }) => sum + truePositives, 0);
  const classes = scored.spec.classes.length;
  return [
    { name: "accuracy_1", value: value(() => correct / count), count },
    ...TOP_K.filter((k) => k < classes).map((k) => ({
      name: `accuracy_${k}`,
      value: value(() => topKHits(scored, rows, k) / count),
      count,
    })),
    ...MACRO.map((name) => ({ name, value: value(() => macro(confusions, name)), count })),
  ];
}

/** Rows of the mask with a label. */
function knownRows({ labels, mask }: Scored<ClassificationSpec>): Uint32Array {
  const rows = new Uint32Array(mask.length);
  let count = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 1 && !Number.isNaN(labels.answers[row])) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** One class against the rest, for each class. */
function classConfusions({ spec, labels, decoded }: Scored<ClassificationSpec>, rows: Uint32Array): Confusion[] {
  const classes = spec.classes.length;
  const hits = new Float64Array(classes);
  const labelled = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  for (const row of rows) {
    const truth = labels.answers[row] as number;
    const answer = decoded[row] as number;
    labelled[truth] = (labelled[truth] as number) + 1;
    predicted[answer] = (predicted[answer] as number) + 1;
    if (truth === answer) hits[truth] = (hits[truth] as number) + 1;
  }
  return Array.from(hits, (truePositives, c) => {
    const falsePositives = (predicted[c] as number) - truePositives;
    const falseNegatives = (labelled[c] as number) - truePositives;
    const trueNegatives = rows.length - truePositives - falsePositives - falseNegatives;
    return { truePositives, falsePositives, falseNegatives, trueNegatives };
  });
}

/** Unweighted mean over the classes that occur. */
function macro(confusions: readonly Confusion[], name: (typeof MACRO)[number]): number {
  const occurring = confusions.filter((c) => c.truePositives + c.falsePositives + c.falseNegatives > 0);
  return occurring.reduce((sum, confusion) => sum + decisionMetrics[name](confusion), 0) / occurring.length;
}

/** Rows whose labelled class is among the k of highest score. */
function topKHits(scored: Scored<ClassificationSpec>, rows: Uint32Array, k: number): number {
  const { spec, labels, activated, classesAhead } = scored;
  const classes = spec.classes.length;
  let hits = 0;
  for (const row of rows) {
    if (classesAhead !== undefined) {
      if ((classesAhead[row] as number) < k) hits++;
      continue;
    }
    const truth = labels.answers[row] as number;
    const score = activated[row * classes + truth] as number;
    let ahead = 0;
    for (let c = 0; c < classes; c++) {
      const other = activated[row * classes + c] as number;
      if (other > score || (other === score && c > truth)) ahead++;
    }
    if (ahead < k) hits++;
  }
  return hits;
}
