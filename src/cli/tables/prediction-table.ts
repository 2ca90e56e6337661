/** @file What a network answers to one input, as a table. */
import { drawTable, formatMetric, groupByFlow } from "./tables.js";

/** An input with its answers by path of task, and, where they are asked for, sets of them. */
interface AnsweredInput<Sets> {
  readonly input: string;
  readonly answers: Readonly<Record<string, { readonly decoded: unknown; readonly activated: readonly number[] }>>;
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
    const rows = Object.entries(answers).map(([path, { decoded, activated }]) => ({
      path,
      cells: [answerText(decoded), activated.map(formatMetric).join(" ")],
    }));
    return drawTable([input, "answer", "scores"], groupByFlow(rows));
  }
  const { of, questions } = coverage;
  const paths = new Set([...Object.keys(answers), ...Object.keys(questions)]);
  const rows = [...paths].map((path) => {
    const [answer, question] = [answers[path], questions[path]];
    const asked = of === "tree" ? [question?.asked ?? "no"] : [];
    const set = question?.set === undefined ? "" : setText(question.set);
    return { path, cells: [answer === undefined ? "" : answerText(answer.decoded), ...asked, set] };
  });
  return drawTable([input, "answer", ...(of === "tree" ? ["asked"] : []), "set"], groupByFlow(rows));
}

/** As JSON, with numbers in few digits. */
function answerText(decoded: unknown): string {
  if (typeof decoded === "number") return formatMetric(decoded);
  return JSON.stringify(decoded, (_, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value,
  );
}
