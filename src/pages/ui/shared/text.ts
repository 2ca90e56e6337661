/** @file Texts of runs as pages show them: of any length, with nothing in them that turns or hides what stands around. */
import { printable, printableLine } from "../../../platform/printable.js";

const LONGEST = 300;

/** One line. */
export function lineOf(text: string, longest = LONGEST): string {
  return printableLine(text.length <= longest ? text : `${text.slice(0, longest)}…`);
}

/** Several lines. */
export function linesOf(text: string, longest = 20_000): string {
  return printable(text.length <= longest ? text : `${text.slice(0, longest)}…`);
}

/** A value of a setting or a field. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return lineOf(typeof value === "string" ? value : JSON.stringify(value));
}

/** `23 Nov 07:44`, of other years with the year; in the reader's time zone. */
export function briefTime(iso: string, now: Date = new Date()): string {
  const time = new Date(iso);
  const isThisYear = time.getFullYear() === now.getFullYear();
  const day = time.toLocaleDateString("en-GB", {
    ...{ day: "numeric", month: "short" },
    ...(isThisYear ? {} : { year: "numeric" }),
  });
  return isThisYear ? `${day} ${time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}` : day;
}
