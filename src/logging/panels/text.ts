/** @file Text for drawings: how wide it is, and how to make it fit. */

export type FontWeight = 400 | 600;

/** A way to set text. */
export interface TextStyle {
  /** Pixels. */
  readonly size: number;
  readonly weight: FontWeight;
}

/** Advance widths of U+0020 to U+007E in thousandths of the font size, from the `hmtx` table of Source Sans 3. */
const ADVANCES: Readonly<Record<FontWeight, readonly number[]>> = {
  400: [
    200, 289, 426, 497, 497, 824, 609, 249, 303, 303, 418, 497, 249, 311, 249, 350, 497, 497, 497, 497, 497, 497, 497,
    497, 497, 497, 249, 249, 497, 497, 497, 425, 847, 543, 588, 571, 615, 527, 494, 617, 652, 263, 479, 579, 486, 727,
    647, 664, 566, 664, 569, 534, 536, 645, 515, 786, 513, 476, 539, 303, 350, 303, 497, 500, 542, 504, 553, 456, 555,
    496, 292, 504, 544, 246, 247, 495, 255, 829, 547, 542, 555, 555, 347, 419, 338, 544, 467, 719, 446, 467, 425, 303,
    241, 303, 497,
  ],
  600: [
    200, 315, 482, 513, 513, 841, 639, 275, 324, 324, 438, 513, 275, 322, 275, 344, 513, 513, 513, 513, 513, 513, 513,
    513, 513, 513, 275, 275, 513, 513, 513, 444, 875, 558, 597, 576, 625, 538, 510, 628, 663, 282, 494, 597, 502, 745,
    657, 674, 582, 674, 592, 545, 546, 655, 536, 800, 541, 501, 540, 324, 344, 324, 513, 500, 549, 516, 563, 462, 564,
    507, 317, 520, 558, 262, 263, 522, 271, 843, 560, 549, 564, 564, 373, 431, 361, 556, 495, 748, 481, 495, 443, 324,
    255, 324, 513,
  ],
};

// letters beyond ASCII: accented ones are narrower than this, ideographs are squares
const WIDE_ADVANCE = 1000;
const OTHER_ADVANCE = 700;
const FIRST_WIDE = 0x2e80;
const ELLIPSIS = "…";
const ELLIPSIS_ADVANCE = 964;

/** Pixels that a line takes; kerning, which makes it a little shorter, is left out. */
export function textWidth(text: string, { size, weight }: TextStyle): number {
  const advances = ADVANCES[weight];
  let sum = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    sum += advances[code - 0x20] ?? otherAdvance(code);
  }
  return (sum / 1000) * size;
}

function otherAdvance(code: number): number {
  if (code === ELLIPSIS.codePointAt(0)) return ELLIPSIS_ADVANCE;
  return code >= FIRST_WIDE ? WIDE_ADVANCE : OTHER_ADVANCE;
}

/** The text itself, or its beginning with an ellipsis. */
export function fitEnd(text: string, width: number, style: TextStyle): string {
  return shorten(text, width, style, (kept, all) => all.slice(0, kept).join("").trimEnd() + ELLIPSIS);
}

/** The text itself, or its end after an ellipsis: for paths and ids, whose last part tells them apart. */
export function fitStart(text: string, width: number, style: TextStyle): string {
  return shorten(text, width, style, (kept, all) => ELLIPSIS + all.slice(all.length - kept).join(""));
}

/** The text itself, or both its ends around an ellipsis. */
export function fitMiddle(text: string, width: number, style: TextStyle): string {
  return shorten(text, width, style, (kept, all) => {
    const tail = Math.ceil(kept / 2);
    return all.slice(0, kept - tail).join("") + ELLIPSIS + all.slice(all.length - tail).join("");
  });
}

function shorten(
  text: string,
  width: number,
  style: TextStyle,
  keep: (kept: number, all: readonly string[]) => string,
): string {
  if (textWidth(text, style) <= width) return text;
  const all = [...text];
  for (let kept = all.length - 1; kept > 0; kept--) {
    const shorter = keep(kept, all);
    if (textWidth(shorter, style) <= width) return shorter;
  }
  return ELLIPSIS;
}

/**
 * Words over at most `lines` lines; what is longer ends in an ellipsis. A word that is too long for a line is cut.
 */
export function wrapText(text: string, lines: number, width: number, style: TextStyle): string[] {
  const wrapped: string[] = [];
  let rest = text.replaceAll(/\s+/g, " ").trim();
  while (rest !== "" && wrapped.length < lines) {
    if (wrapped.length === lines - 1) {
      wrapped.push(fitEnd(rest, width, style));
      break;
    }
    const line = leadingPart(rest, width, style);
    wrapped.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return wrapped;
}

/** As many words as fit, or as many letters of a word that does not. */
function leadingPart(text: string, width: number, style: TextStyle): string {
  if (textWidth(text, style) <= width) return text;
  // a list, a path and a name may be broken too, a number not, nor its sign left behind
  const words = text.match(/(?:[^\s,_/.-]|\.(?=\d)|(?<![^\s,_/])-(?=\d))*[\s,_/.-]?/g) ?? [];
  let line = "";
  for (const word of words) {
    if (textWidth((line + word).trimEnd(), style) > width) break;
    line += word;
  }
  if (line !== "") return line;
  const letters = [...text];
  let kept = letters.length;
  while (kept > 1 && textWidth(letters.slice(0, kept).join(""), style) > width) kept--;
  return letters.slice(0, kept).join("");
}

/** Text as content or attribute of an SVG element; characters that XML cannot hold are shown as `?`. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** About three significant digits. */
export function formatLoss(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  const size = Math.abs(loss);
  if (size !== 0 && (size < 1e-3 || size >= 1e4)) return loss.toExponential(1);
  return loss.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 4);
}
