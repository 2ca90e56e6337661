/** @file Colours of curves on a terminal: the same place has the same colour everywhere. */
import type { SpanRole } from "../../plotting/text-chart.js";

/** Foreground colours that are told apart on dark and light terminals (ECMA-48, aixterm's bright ones). */
const CURVES = [36, 33, 35, 32, 91, 94, 31, 37] as const;

/** The graphic rendition of a part of a chart; null: as it is. */
export function renditionOf(role: SpanRole): number | null {
  if (role === "axis") return null;
  if (role === "faint") return 2;
  return CURVES[role % CURVES.length] ?? null;
}

export function coloured(text: string, role: SpanRole): string {
  const rendition = renditionOf(role);
  if (rendition === null || text.trim() === "") return text;
  return rendition === 2 ? `\x1b[2m${text}\x1b[22m` : `\x1b[${rendition}m${text}\x1b[39m`;
}
