/** @file camelCase fields ↔ snake_case columns: the one place where records and SQL meet. */

/** `gitCommit` → `git_commit`. */
export function columnName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What follows SELECT: every field's column, named as the field. */
export function selection(fields: readonly string[]): string {
  return fields.map((field) => `${columnName(field)} AS ${field}`).join(", ");
}

/** An INSERT whose parameters carry the fields' names. */
export function insertion(table: string, fields: readonly string[]): string {
  return `INSERT INTO ${table} (${fields.map(columnName).join(", ")}) VALUES (${fields.map((f) => `@${f}`).join(", ")})`;
}

/** What follows SET: every field's column from the parameter of the field's name. */
export function assignments(fields: readonly string[]): string {
  return fields.map((field) => `${columnName(field)} = @${field}`).join(", ");
}

/** Values that columns must have, by field; undefined ones do not restrict. */
type Filter = Readonly<Record<string, string | undefined>>;

/** `WHERE a = @a AND …` over the fields that the filter sets. Field names must be trusted, values need not. */
export function where(filter: Filter): string {
  const conditions = Object.keys(filter)
    .filter((field) => filter[field] !== undefined)
    .map((field) => `${columnName(field)} = @${field}`);
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}
