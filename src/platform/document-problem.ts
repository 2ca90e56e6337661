/** @file What a schema finds wrong with a document, in words for a person. */
import type { z } from "zod";

export interface DocumentProblem {
  /** `tasks[2].spec.kind`; empty where it is the whole document. */
  readonly key: string;
  readonly problem: string;
}

/** The first thing that is wrong; null where nothing is. */
export function problemOf(schema: z.ZodType, document: unknown): DocumentProblem | null {
  const [issue] = schema.safeParse(document).error?.issues ?? [];
  if (issue === undefined) return null;
  const isMissing = issue.message.endsWith("received undefined");
  return { key: keyOf(issue.path), problem: isMissing ? "it is missing" : issue.message.slice(0, 300) };
}

function keyOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((key, part) => {
    if (typeof part === "number") return `${key}[${part}]`;
    return key === "" ? String(part) : `${key}.${String(part)}`;
  }, "");
}
