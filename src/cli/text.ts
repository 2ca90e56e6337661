/** @file Texts of unknown origin, made fit for one cell of a terminal's table. */

/** `–` for what is not there; control characters (colours, line breaks) are shown, not obeyed. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    JSON.stringify(character).slice(1, -1) === character
      ? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
      : JSON.stringify(character).slice(1, -1),
  );
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes with three digits: `14.2 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${UNITS[power]}`;
}
