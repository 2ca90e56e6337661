/** @file Wrong labels in a clean table of the example: each filled cell with the same chance, and branches gone wrong. */
import { createRandom, type Random } from "../../src/data/rng.js";

/** Rows of text, by column. */
export type TextRow = Record<string, string>;

/** How labels go wrong. */
export type NoiseKind =
  /** A filled cell says another of its values; nothing else of the row changes. */
  | "flip"
  /** A gate is answered wrongly, and the branch behind it is filled in as the form then asks. */
  | "branch"
  /** A question that is not asked has an answer. */
  | "stray";

/** A cell that is not what it was. */
export interface Corrupted {
  readonly row: number;
  readonly column: string;
  readonly kind: NoiseKind;
}

const COLORS = ["blue", "red", "yellow", "cyan", "magenta", "green", "black"];
const FACES = ["red", "green", "blue", "red,green", "red,blue", "green,blue", "red,green,blue", "none"];
const TRUTHS = ["0", "1"];
const VALUES: Readonly<Record<string, readonly string[]>> = {
  ...{ camera_blocked: TRUTHS, door_open: TRUTHS, door_locked: TRUTHS, person_present: TRUTHS },
  ...{ facial_characteristics: FACES, shirt_type: COLORS },
};
/** Sides of the picture. */
const PIXELS = 64;

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random.next() * from.length)] as T;
}

/** Another value of a column than the one that stands there, all equally likely. */
function another(column: string, old: string, random: Random): string {
  const values = VALUES[column];
  if (values !== undefined)
    return pick(
      values.filter((value) => value !== old),
      random,
    );
  for (;;) {
    const value = String(Math.floor(random.next() * PIXELS));
    if (value !== old) return value;
  }
}

/** Columns that the form asks for, given the answers so far. */
function askedColumns(row: TextRow, columns: readonly string[]): Set<string> {
  const asked = new Set(["camera_blocked"]);
  if (row.camera_blocked !== "0") return asked;
  asked.add("door_open");
  if (row.door_open === "0") asked.add("door_locked");
  if (row.door_open !== "1") return asked;
  asked.add("person_present");
  if (row.person_present !== "1") return asked;
  for (const column of columns) if (/^(face|facial|body|shirt)/.test(column)) asked.add(column);
  return asked;
}

/**
 * Changes a share of the filled label cells of a table.
 * @param share of the filled cells; each is taken with this chance
 * @param kinds equally likely; a branch counts as the one gate that was answered wrongly
 * @returns the table with noise, and the filled cells of it that are wrong
 */
export function injectNoise(
  rows: readonly TextRow[],
  columns: readonly string[],
  { share, kinds, seed }: { readonly share: number; readonly kinds: readonly NoiseKind[]; readonly seed: string },
): { readonly rows: TextRow[]; readonly corrupted: Corrupted[] } {
  const random = createRandom(seed);
  const corrupted: Corrupted[] = [];
  const noisy = rows.map((clean, row): TextRow => {
    const changed = { ...clean };
    for (const column of columns) {
      if (clean[column] === "" || random.next() >= share) continue;
      const kind = pick(kinds, random);
      for (const other of change(changed, column, kind, columns, random)) corrupted.push({ row, column: other, kind });
    }
    return changed;
  });
  const wrong = new Map(corrupted.map((one) => [`${one.row} ${one.column}`, one]));
  // what a later change of the same row set right, or emptied, is no wrong cell
  const still = [...wrong.values()].filter(
    ({ row, column }) => noisy[row]?.[column] !== rows[row]?.[column] && noisy[row]?.[column] !== "",
  );
  return { rows: noisy, corrupted: still };
}

/** @returns the columns that were written */
function change(row: TextRow, column: string, kind: NoiseKind, columns: readonly string[], random: Random): string[] {
  if (kind === "stray") {
    const asked = askedColumns(row, columns);
    const closed = columns.filter((other) => !asked.has(other) && row[other] === "");
    if (closed.length === 0) return [];
    const stray = pick(closed, random);
    row[stray] = another(stray, "", random);
    return [stray];
  }
  row[column] = another(column, row[column] ?? "", random);
  if (kind === "flip") return [column];
  const asked = askedColumns(row, columns);
  const written = [column];
  for (const other of columns) {
    if (!asked.has(other) && other !== column) row[other] = "";
    if (asked.has(other) && row[other] === "" && other !== "camera_blocked") {
      row[other] = another(other, "", random);
      written.push(other);
    }
  }
  return written;
}
