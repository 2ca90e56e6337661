/**
 * @file Text of unknown origin, made fit to be printed: names of classes, paths, cells and messages may hold anything,
 * and a terminal obeys what it is sent.
 */

/** What moves a cursor, changes a terminal or turns the direction of text: C0, DEL, C1, separators and bidi marks. */
const OBEYED = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** Colours and weights of text, which our own output has on a terminal: nothing in it hides, moves or blinks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const COLOURS = /\x1b\[(?:0|1|2|22|3[1-79]|9[0-7])m/g;

/** One line: control characters are shown as JSON escapes them, not obeyed. */
export function printableLine(text: string): string {
  return text.replace(OBEYED, escapeOf);
}

/**
 * Several lines.
 * @param options.colours whether those of our own are kept; the rest is shown as an escape
 */
export function printable(text: string, options: { readonly colours?: boolean } = {}): string {
  const lines = (part: string): string => part.replace(OBEYED, (one) => (LAYOUT.has(one) ? one : escapeOf(one)));
  if (options.colours !== true) return lines(text);
  const kept = text.match(COLOURS) ?? [];
  return text.split(COLOURS).reduce((all, part, i) => `${all}${i === 0 ? "" : (kept[i - 1] ?? "")}${lines(part)}`, "");
}

/** A JSON document of the same value, in which nothing is obeyed: JSON itself lets C1 and bidi marks stand. */
export function printableJson(value: unknown): string {
  return (JSON.stringify(value, null, 2) ?? "null").replace(OBEYED, (one) => (one === "\n" ? one : unicodeEscape(one)));
}

const LAYOUT = new Set(["\n", "\t"]);

function escapeOf(character: string): string {
  const escaped = JSON.stringify(character).slice(1, -1);
  return escaped === character ? unicodeEscape(character) : escaped;
}

function unicodeEscape(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}
