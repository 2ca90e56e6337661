/** @file Texts of other trackers as typed settings, and flat keys as nested ones. */

/**
 * A setting that was kept as a text: numbers, truths, None and lists are what they were before.
 * @example typedText("0.1") // 0.1
 */
export function typedText(text: string): unknown {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text);
    // an id of twenty digits would lose some
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
  }
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (/^(none|null)$/i.test(text)) return null;
  if (/^[[{]/.test(text) && text.length < LONGEST_JSON) return jsonOf(text) ?? text;
  return text;
}

const LONGEST_JSON = 100_000;

/** Infinite and undefined numbers as trackers write them; undefined for what is no number. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string") return undefined;
  const word = WORDS.get(value.trim().toLowerCase());
  if (word !== undefined) return word;
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : undefined;
}

const WORDS: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["+inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

/** A JSON document as Python writes it, with bare NaN and Infinity; undefined for what is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const quoted = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/g, (token) =>
      token.startsWith('"') ? token : `"${token}"`,
    );
    try {
      return JSON.parse(quoted);
    } catch {
      return undefined;
    }
  }
}

/** `{"optimizer.lr": 0.1}` → `{optimizer: {lr: 0.1}}`, where no key stands in the way. */
export function nested(flat: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const root: Tree = new Map();
  for (const [key, value] of flat) {
    const parts = key.split(/[./]/);
    if (!place(root, parts.includes("") || parts.length > DEEPEST ? [key] : parts, value)) root.set(key, value);
  }
  return asRecord(root);
}

const DEEPEST = 10;
type Tree = Map<string, unknown>;

function place(tree: Tree, parts: readonly string[], value: unknown): boolean {
  const [first = "", ...rest] = parts;
  if (rest.length === 0) {
    if (tree.get(first) instanceof Map) return false;
    tree.set(first, value);
    return true;
  }
  const below = tree.get(first) ?? new Map<string, unknown>();
  if (!(below instanceof Map) || !place(below, rest, value)) return false;
  tree.set(first, below);
  return true;
}

function asRecord(tree: Tree): Record<string, unknown> {
  // fromEntries, so that a key such as __proto__ is a key
  return Object.fromEntries([...tree].map(([key, value]) => [key, value instanceof Map ? asRecord(value) : value]));
}

/** A text of a name's length and characters; null where nothing is left of it. */
export function nameText(text: string): string | null {
  const plain = text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, " ").trim();
  return plain === "" ? null : [...plain].slice(0, LONGEST_NAME).join("").trim();
}

const LONGEST_NAME = 200;

/** `key=value` as a tag; null where it is too long for one. */
export function tagText(key: string, value: string): string | null {
  const tag = value === "" || value === "true" ? key : `${key}=${value}`;
  return [...tag].length > LONGEST_NAME ? null : nameText(tag);
}
