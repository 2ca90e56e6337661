/** @file A parsed condition on runs, as plain data. Every part keeps its place in the text, for messages. */

/** A name of something that runs have: a column, a setting, a metric, `tag`. */
export interface FieldRef {
  readonly name: string;
  /** Offset in the text. */
  readonly at: number;
}

export interface Literal {
  readonly value: string | number | boolean | null;
  readonly at: number;
}

export const COMPARISONS = ["=", "!=", "<", "<=", ">", ">=", "~", "like"] as const;
/** `~` matches a glob (`*`, `?`), `like` a pattern of SQL (`%`, `_`) without regard to case. */
export type Comparison = (typeof COMPARISONS)[number];

export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly inner: Condition }
  | { readonly kind: "compare"; readonly field: FieldRef; readonly operator: Comparison; readonly literal: Literal }
  | { readonly kind: "in"; readonly field: FieldRef; readonly literals: readonly Literal[] }
  /** A field alone: that it is true. */
  | { readonly kind: "is true"; readonly field: FieldRef };

/** Names of the fields that a condition asks about, each once, in its order. */
export function fieldNames(condition: Condition): string[] {
  switch (condition.kind) {
    case "and":
    case "or":
      return [...new Set([...fieldNames(condition.left), ...fieldNames(condition.right)])];
    case "not":
      return fieldNames(condition.inner);
    default:
      return [condition.field.name];
  }
}
