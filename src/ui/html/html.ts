/** @file HTML from templates: whatever stands in them is text, unless it was made by a template itself. */
import { printable } from "../../platform/printable.js";

/** Markup that is safe to send. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = Html | string | number | null | readonly Part[];

/** A template whose values become text; lists one after the other, null nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.reduce((all, text, i) => `${all}${i === 0 ? "" : markupOf(parts[i - 1] ?? null)}${text}`, ""),
  );
}

function markupOf(part: Part): string {
  if (part === null) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map(markupOf).join("");
}

/** Control characters are shown, not sent: browsers drop some of them, and others turn the direction of text. */
function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (one) => `&#${one.codePointAt(0)};`);
}

/** JSON as the text of a script element, which ends at the first `</script` whatever surrounds it; marks are escapes. */
export function embeddedJson(value: unknown): Html {
  return new Html(
    JSON.stringify(value).replace(
      /[<>&\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
      (one) => `\\u${hex(one)}`,
    ),
  );
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
}
