/** @file Labels and answers of samples as they are read. */
import { printableLine } from "../platform/printable.js";

const LONGEST = 120;

/** `red, green`; `none` for an empty list, `?` where it is unknown. */
export function answerText(answer: unknown): string {
  const text = printableLine(textOf(answer));
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function textOf(answer: unknown): string {
  if (answer === null || answer === undefined) return "?";
  if (typeof answer === "number") return String(Number(answer.toPrecision(4)));
  if (!Array.isArray(answer)) return typeof answer === "object" ? JSON.stringify(answer) : String(answer);
  return answer.length === 0 ? "none" : answer.map(textOf).join(", ");
}
