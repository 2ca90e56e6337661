/** @file How many columns of a terminal a text takes. */

// East Asian wide and fullwidth characters and emoji (Unicode Standard Annex #11), in ranges that cover those in use
const WIDE =
  /[\u1100-\u115f\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f7e0}-\u{1f7eb}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const PLAIN = /^[ -~]*$/;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  // nearly every text
  if (PLAIN.test(text)) return text.length;
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
