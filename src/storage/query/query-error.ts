/** @file A condition that cannot be understood, shown with its place marked. */
import { UsageError } from "../../errors.js";

const WINDOW = 100;

/**
 * @param text the whole condition
 * @param at offset of what is wrong; `text.length` for its end
 */
export function queryError(text: string, at: number, problem: string): UsageError {
  const start = Math.max(0, Math.min(at - WINDOW / 2, text.length - WINDOW));
  // every control character would move the mark
  const shown = text.slice(start, start + WINDOW).replace(/\p{Cc}/gu, " ");
  return new UsageError(`${problem}\n  ${shown}\n  ${" ".repeat(at - start)}^`, { text, at });
}
