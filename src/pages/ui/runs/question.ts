/** @file What the list shows, as its address says it. */
import { useMemo } from "preact/hooks";
import { go, type Place } from "../shared/router.js";

export interface Shown {
  readonly where: string;
  readonly sort: readonly string[];
  readonly columns: readonly string[];
  readonly isTrash: boolean;
}

export function shownOf({ query }: Place): Shown {
  return {
    where: query.get("where") ?? "",
    sort: query.getAll("sort").filter((key) => key !== ""),
    columns: query.getAll("column"),
    isTrash: query.get("trash") === "only",
  };
}

/** As the server is asked. */
export function questionOf({ where, sort, columns, isTrash }: Shown): string {
  const query = new URLSearchParams();
  if (where.trim() !== "") query.set("where", where.trim());
  for (const key of sort) query.append("sort", key);
  for (const column of columns) query.append("column", column);
  if (isTrash) query.set("trash", "only");
  return query.toString();
}

export function useShown(place: Place): Shown {
  return useMemo(() => shownOf(place), [place]);
}

export function show(shown: Shown, replaces = false): void {
  const question = questionOf(shown);
  go(question === "" ? "/" : `/?${question}`, replaces);
}

/** By which field and in which direction; null: newest first. */
export function orderOf({ sort: [key] }: Shown): { readonly field: string; readonly descending: boolean } | null {
  if (key === undefined) return null;
  const [, field = key, direction = "asc"] = /^(.*):(asc|desc)$/i.exec(key) ?? [];
  return { field, descending: direction.toLowerCase() === "desc" };
}
