/** @file Tables as text for other programs: CSV and Markdown. */

/** RFC 4180, with line feeds: cells with commas, quotes or line breaks are quoted. */
export function csvText(rows: readonly (readonly (string | number | boolean | null)[])[]): string {
  return rows.map((row) => row.map(csvCell).join(",")).join("\n");
}

function csvCell(cell: string | number | boolean | null): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A GitHub-flavoured table; cells are shown as they are, whatever characters they hold. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = [],
): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(" | ")} |`;
  const rule = `|${head.map((_, i) => (numeric.includes(i) ? "--:" : "---")).join("|")}|`;
  return [row(head), rule, ...rows.map(row)].join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll(/[\\|*_`<>[\]]/g, "\\$&").replaceAll(/\s*\n\s*/g, " ");
}
