/** @file How explanation trees look on a terminal: in colour where that is wanted, and never with codes of their own. */
import type { TreeStyle } from "../analysis/explanation/print-explanation.js";
import { useColour } from "./tables/tables.js";
import { cellText } from "./text.js";

/** Between the codes that begin and end a look: ECMA-48, "select graphic rendition". */
function between(begin: number, end: number): (text: string) => string {
  return (text) => `\x1b[${begin}m${cellText(text)}\x1b[${end}m`;
}

const YES = between(32, 39);
const NO = between(31, 39);
const OTHER = between(33, 39);

/** @param colour default: on a terminal that wants it (no-color.org) */
export function treeStyle(colour: boolean = useColour()): TreeStyle {
  if (!colour) return { input: cellText, flow: cellText, task: cellText, answer: cellText, detail: cellText };
  return {
    input: between(1, 22),
    flow: between(35, 39),
    task: between(36, 39),
    answer: (text, value) => (value === true ? YES : value === false ? NO : OTHER)(text),
    detail: between(2, 22),
  };
}
