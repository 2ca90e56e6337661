/** @file What a network answers to one input, as a table. */
import { drawTable, formatMetric, groupByFlow } from "./tables.js";

interface ScoredAnswer {
  readonly decoded: unknown;
  readonly activated: readonly number[];
}

/** An input with its answers by path of task, and, where they are asked for, sets of them. */
interface AnsweredInput<Sets> {
  readonly input: string;
  readonly answers: Readonly<Record<string, ScoredAnswer>>;
  readonly coverage?: {
    readonly of: "tree" | "answer";
    readonly questions: Readonly<Record<string, { readonly asked: string; readonly set?: Sets }>>;
  };
}

/**
 * Questions below their flows: answers and scores, or, where there are sets, whether each is asked, and its set.
 * @param setText a set in a few words
 */
export function predictionTable<Sets>(
  { input, answers, coverage }: AnsweredInput<Sets>,
  setText: (set: Sets) => string,
): string {
  if (coverage === undefined) {
    const rows = Object.entries(answers).map(([path, answer]) => ({
      path,
      cells: [answerText(answer), answer.activated.map(scoreText).join(" ")],
    }));
    return drawTable([input, "answer", "scores"], groupByFlow(rows));
  }
  const { of, questions } = coverage;
  const paths = new Set([...Object.keys(answers), ...Object.keys(questions)]);
  const rows = [...paths].map((path) => {
    const [answer, question] = [answers[path], questions[path]];
    const asked = of === "tree" ? [question?.asked ?? "no"] : [];
    const set = question?.set === undefined ? "" : setText(question.set);
    const { decoded } = answer ?? {};
    const text = Array.isArray(decoded) ? linesOf(decoded.map(itemText)) : answerText(answer);
    return { path, cells: [text, ...asked, set] };
  });
  const head = [input, "answer", ...(of === "tree" ? ["asked"] : []), "set"];
  return drawTable(head, groupByFlow(rows), [], { narrowest: 18 });
}

// so many stand in a column of their own
const FEW = 4;

/** A few names or numbers one below the other, so that a narrow column breaks none; many after one another. */
export function linesOf(items: readonly string[]): string {
  return items.join(items.length <= FEW ? "\n" : ", ");
}

function itemText(item: unknown): string {
  return typeof item === "number" ? String(Number(item.toPrecision(4))) : String(item);
}

/**
 * One row per input, one column per question; empty where it is not asked.
 * @param setText a set in a few words
 */
export function predictionsTable<Sets>(
  predictions: readonly AnsweredInput<Sets>[],
  setText: (set: Sets) => string,
): string {
  const paths = [
    ...new Set(
      predictions.flatMap(({ answers, coverage }) => [
        ...Object.keys(answers),
        ...Object.keys(coverage?.questions ?? {}),
      ]),
    ),
  ];
  const cell = ({ answers, coverage }: AnsweredInput<Sets>, path: string): string => {
    const set = coverage?.questions[path]?.set;
    if (set !== undefined) return setText(set);
    return answerText(answers[path]);
  };
  const rows = predictions.map((one) => [one.input, ...paths.map((path) => cell(one, path))]);
  const numeric = paths.flatMap((path, i) =>
    predictions.some(({ answers }) => typeof answers[path]?.decoded === "number") ? [i + 1] : [],
  );
  // a name under the end of its flow: columns are narrow
  const titles = paths.map((path) => path.split(".").slice(-2).join("\n"));
  return drawTable(["input", ...titles], rows, numeric);
}

/** As JSON, with numbers in few digits; a score that is no number is named in place of the answer that it cannot give. */
function answerText(answer: ScoredAnswer | undefined): string {
  if (answer === undefined) return "";
  const { decoded, activated } = answer;
  if (decoded === null && activated.some(Number.isNaN)) return "NaN";
  if (typeof decoded === "number") return scoreText(decoded);
  return JSON.stringify(decoded, (_, value: unknown) => {
    if (typeof value !== "number") return value;
    // JSON has no word for these
    return Number.isFinite(value) ? Number(value.toPrecision(4)) : String(value);
  });
}

function scoreText(score: number): string {
  return Number.isFinite(score) ? formatMetric(score) : String(score);
}
