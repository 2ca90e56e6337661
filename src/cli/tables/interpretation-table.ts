/** @file The samples that a run answers best and worst, as a table for the terminal. */
import { relative } from "node:path";
import type { InterpretedSample } from "../../analysis/interpret.js";
import { formatLoss } from "../../logging/panels/text.js";
import { drawTable } from "./tables.js";

interface ShownSample extends InterpretedSample {
  readonly image: string | null;
  readonly text?: string;
}

interface ShownInterpretation {
  readonly task_path: string;
  readonly best: readonly ShownSample[];
  readonly worst: readonly ShownSample[];
}

/** A line that says what is shown, and the table below it, or in that line why there is none. */
export function interpretationText({ task_path, best, worst }: ShownInterpretation, split: string): string {
  const all = [...best, ...worst];
  const [first] = all;
  const title = `${task_path} on ${split}`;
  if (first === undefined) return `${title}: nothing to show, no row that is active and labelled has a loss`;
  const words = all.some(({ text }) => text !== undefined);
  const rows = Object.entries({ worst, best }).flatMap(([side, samples]) =>
    samples.map((sample) => [
      side,
      ...(words ? [sample.id, sample.text ?? ""] : [imageOf(sample)]),
      answerText(sample.label),
      // what comes of a score that is NaN
      sample.prediction === null && Number.isNaN(sample.loss) ? "NaN" : answerText(sample.prediction),
      ...(sample.measure === undefined ? [] : [rounded(sample.measure.value)]),
      formatLoss(sample.loss),
    ]),
  );
  const sample = words ? ["sample", "text"] : [all.some(({ image }) => image !== null) ? "image" : "sample"];
  const measure = first.measure === undefined ? [] : [first.measure.name];
  const head = ["", ...sample, "label", "prediction", ...measure, "loss"];
  const numeric = [...measure, "loss"].map((name) => head.indexOf(name));
  return `${title}\n${drawTable(head, rows, numeric)}`;
}

/** Numbers with four significant digits. */
function answerText(answer: ShownSample["label"]): string {
  const numbers = [answer].flat().filter((one) => typeof one === "number");
  if (typeof answer === "number") return rounded(answer);
  return numbers.length > 0 ? `[${numbers.map(rounded).join(", ")}]` : JSON.stringify(answer);
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The path from here where that is the shorter one, so that it can be opened. */
function imageOf({ id, image }: ShownSample): string {
  if (image === null) return id;
  const fromHere = relative(process.cwd(), image);
  return fromHere.length < image.length ? fromHere : image;
}
