/** @file How parts of `cool watch` stand out: weights everywhere, colours where they are wanted. */
import type { RunState } from "../../storage/run-record.js";
import type { SpanRole } from "../../plotting/text-chart.js";
import { renditionOf } from "../plots/colours.js";
import type { CellStyle } from "../screen/grid.js";

export const PLAIN: CellStyle = "";
export const BOLD: CellStyle = "1";
export const FAINT: CellStyle = "2";
export const INVERSE: CellStyle = "7";

const STATES: Readonly<Record<RunState, CellStyle>> = {
  running: "1;32",
  finished: "",
  failed: "31",
  crashed: "31",
  interrupted: "33",
  pruned: "2",
};

export function stateStyle(state: RunState, hasColour: boolean): CellStyle {
  if (hasColour) return STATES[state];
  return state === "running" ? BOLD : PLAIN;
}

export function chartStyle(role: SpanRole, hasColour: boolean): CellStyle {
  if (role === "axis") return FAINT;
  if (!hasColour) return role === "faint" ? FAINT : PLAIN;
  const rendition = renditionOf(role);
  return rendition === null ? PLAIN : String(rendition);
}
