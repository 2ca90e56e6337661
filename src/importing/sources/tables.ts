/** @file Tables of other programs' databases: whether they are there, and what their cells hold, of any type. */
import type { Database } from "../../storage/database/database.js";

/** Whether it is a table; a view would run what whoever made the file has written. */
export function has(database: Database, table: string): boolean {
  return database.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = @table", { table }) !== undefined;
}

export function columnsOf(database: Database, table: string): ReadonlySet<string> {
  const rows = database.all<{ name: string }>("SELECT name FROM pragma_table_info(@table)", { table });
  return new Set(rows.map(({ name }) => name));
}

/** SQLite lets a column hold whatever was put into it. */
export function textOf(cell: unknown): string {
  if (typeof cell === "string") return cell;
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString("utf8");
  return cell === null || cell === undefined ? "" : String(cell);
}
