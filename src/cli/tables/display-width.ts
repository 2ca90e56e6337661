/** @file How many columns of a terminal a text takes. */

// East Asian wide and fullwidth characters and emoji (Unicode Standard Annex #11), in ranges that cover those in use
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** The text in at most so many columns, its end replaced by `…` where it is longer. */
export function clip(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The text in at most so many columns, its middle replaced by `…`: names of runs often differ at their ends alone. */
export function clipMiddle(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  const end = [...text].reverse();
  let tail = "";
  for (const character of end) {
    if (displayWidth(tail) + displayWidth(character) > Math.floor((columns - 1) / 2)) break;
    tail = character + tail;
  }
  const start = clip(text, columns - displayWidth(tail));
  return `${start}${tail}`;
}

/** The text in exactly so many columns. */
export function padTo(text: string, columns: number, align: "left" | "right" = "left"): string {
  const clipped = clip(text, columns);
  const padding = " ".repeat(Math.max(0, columns - displayWidth(clipped)));
  return align === "left" ? clipped + padding : padding + clipped;
}
