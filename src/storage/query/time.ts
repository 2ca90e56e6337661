/** @file Times as people write them: `2026-11-23`, `2026-11-23T08:00Z`, `2 days`, `90m ago`. */

const SECOND = 1000;
const UNITS: readonly (readonly [names: RegExp, milliseconds: number])[] = [
  [/^(s|secs?|seconds?)$/, SECOND],
  [/^(m|mins?|minutes?)$/, 60 * SECOND],
  [/^(h|hrs?|hours?)$/, 3600 * SECOND],
  [/^(d|days?)$/, 86_400 * SECOND],
  [/^(w|weeks?)$/, 7 * 86_400 * SECOND],
];

/** A length of time in milliseconds (`30d`, `2 days`, `1.5 hours`); null for what is none. */
export function parseAge(text: string): number | null {
  const [, amount, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const known = UNITS.find(([names]) => names.test(unit.toLowerCase()));
  return amount === undefined || known === undefined ? null : Number(amount) * known[1];
}

/** A date or time (UTC where it has no zone), or a length of time before `now`; null for what is neither. */
export function parseTime(text: string, now: Date): Date | null {
  const age = parseAge(text.replace(/\s+ago\s*$/i, ""));
  if (age !== null) return validDate(new Date(now.getTime() - age));
  // Date.parse takes far more than ISO 8601, differently on each engine, and a date and time without zone as local
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text.trim())) return null;
  const iso = text.trim().replace(" ", "T");
  const hasZone = !iso.includes("T") || /(Z|[+-]\d{2}:?\d{2})$/.test(iso);
  return validDate(new Date(hasZone ? iso : `${iso}Z`));
}

function validDate(date: Date): Date | null {
  return Number.isNaN(date.getTime()) ? null : date;
}
