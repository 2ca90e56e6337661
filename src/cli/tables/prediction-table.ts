/** @file What a network answers to one input, as a table. */
import type { Answer } from "../../asking/answers.js";
import type { Prediction } from "../../asking/load-run.js";
import { setText } from "../../asking/sets/set-columns.js";
import { drawTable, formatMetric, groupByFlow } from "./tables.js";

/** Questions below their flows: answers and scores, or, where there are sets, whether each is asked, and its set. */
export function predictionTable({ input, answers, coverage }: Prediction): string {
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
function answerText(decoded: Answer["decoded"]): string {
  if (typeof decoded === "number") return formatMetric(decoded);
  return JSON.stringify(decoded, (_, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value,
  );
}
