/** @file Numbers, times and sizes as pages show them. */

/** `–` for what is not there; four digits, and powers of ten where it is very large or small. */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value === 0 || Number.isInteger(value)) return size < 1e9 ? String(value) : value.toExponential(digits - 1);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 2);
  return String(Number(value.toPrecision(digits)));
}

/** A score in three places: `0.914`. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size >= 1000 || (size > 0 && size < 0.001) ? figure(value) : value.toFixed(3);
}

/** `3 h 4 min`, `12.3 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-11-23 07:44 UTC`: a report is read on machines of other time zones. */
export function moment(iso: string | null): string {
  if (iso === null) return "–";
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : iso;
}

/** `14 rows`, `1 row`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
