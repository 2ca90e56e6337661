/** @file Names that other programs give their curves → split, task and metric: the rules of docs/track.md. */
import { UsageError } from "../errors.js";
import { checkedName } from "../storage/run-record.js";
import { type Split, SYSTEM_TASK } from "../tasks/evaluation.js";

/** Which curve a name means. */
export interface CurveName {
  readonly split: Split;
  readonly taskPath: string;
  readonly metricName: string;
}

/** The task of names that fit no rule: the metric is the whole name. */
export const FOREIGN_TASK = "_foreign";
/** The task of what belongs to no task, as in runs of our own. */
const TOTAL_TASK = "_total";

const SPLIT_WORDS: ReadonlyMap<string, Split> = new Map([
  ...["train", "training"].map((word): [string, Split] => [word, "train"]),
  ...["valid", "validation", "val", "dev", "eval", "evaluation"].map((word): [string, Split] => [word, "valid"]),
  ...["test", "testing"].map((word): [string, Split] => [word, "test"]),
]);

/** Words that mean a split behind `_`, too: `dev` and `eval` mostly mean something else there. */
const SUFFIXES: ReadonlySet<string> = new Set(["train", "valid", "validation", "val", "test"]);
/** What is no metric by itself: `std_dev`, `t_test`, `max_val`, `p_val` and `num_train` tell no split. */
const NO_METRIC = /^(.|std|max|min|mean|avg|abs|sum|med|median|num|count|n|ks|chi2|anova|unit)$/i;

/** The split that a word means: `val` is valid. */
export function splitOf(word: string): Split | undefined {
  return SPLIT_WORDS.get(word.toLowerCase());
}

/** Names of splits, for messages. */
export const KNOWN_SPLITS: readonly string[] = [...SPLIT_WORDS.keys()];

/** Reads names by patterns of the user's own first, then by the rules. */
export class NameReader {
  readonly #patterns: readonly RegExp[];
  // a training loop says the same few names again and again
  readonly #known = new Map<string, CurveName>();

  /** @throws UsageError for a pattern that is no regular expression, or has no group `metric` */
  constructor(patterns: readonly (string | RegExp)[] = []) {
    this.#patterns = patterns.map((pattern) => namePattern(pattern));
  }

  /**
   * @param split of a name that tells none
   * @throws UsageError for a name that is empty, too long, or has control characters
   */
  read(name: string, split: Split): CurveName {
    const key = `${split}\n${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const checked = checkedName("metric's name", name);
    const read = this.#byPattern(checked, split) ?? byRule(checked, split);
    // a program that makes up names without end must not fill the memory
    if (this.#known.size < MOST_KNOWN) this.#known.set(key, read);
    return read;
  }

  #byPattern(name: string, split: Split): CurveName | null {
    for (const pattern of this.#patterns) {
      const { metric, task = TOTAL_TASK, split: word } = pattern.exec(name)?.groups ?? {};
      const found = word === undefined ? split : splitOf(word);
      if (metric === undefined || metric === "" || found === undefined || task === SYSTEM_TASK) continue;
      return { split: found, taskPath: task, metricName: metric };
    }
    return null;
  }
}

const MOST_KNOWN = 10_000;

function namePattern(pattern: string | RegExp): RegExp {
  const compiled = compiledPattern("pattern of names", pattern);
  if (groupsOf(compiled).includes("metric")) return compiled;
  throw new UsageError(
    `The pattern of names ${compiled.source} has no group "metric". Name it, e.g. ^(?<split>train|val)\\.(?<metric>.+)$`,
    { pattern: compiled.source },
  );
}

/** @throws UsageError for a text that is no regular expression */
export function compiledPattern(what: string, pattern: string | RegExp): RegExp {
  // without g and y, so that it has no state
  if (typeof pattern !== "string") return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""));
  try {
    return new RegExp(pattern, "u");
  } catch (unicode) {
    try {
      // Python and Perl escape more characters than "u" allows
      return new RegExp(pattern);
    } catch {
      const reason = unicode instanceof Error ? unicode.message : String(unicode);
      throw new UsageError(`The ${what} ${JSON.stringify(pattern)} is no regular expression: ${reason}.`, { pattern });
    }
  }
}

/** Names of a pattern's groups. */
export function groupsOf(pattern: RegExp): string[] {
  // an alternative that is empty always matches, and tells all groups
  const match = new RegExp(`${pattern.source}|`, pattern.flags).exec("");
  return Object.keys(match?.groups ?? {});
}

function byRule(name: string, split: Split): CurveName {
  const foreign = { split, taskPath: FOREIGN_TASK, metricName: name };
  if (/\s/.test(name)) return foreign;
  const { split: found, parts } = withoutSplit(name.split("/"), split);
  const [first = "", second] = parts;
  if (parts.length > 2 || parts.some((part) => part === "") || first === "" || first === SYSTEM_TASK) return foreign;
  return second === undefined
    ? { split: found, taskPath: TOTAL_TASK, metricName: first }
    : { split: found, taskPath: first, metricName: second };
}

/** The split stands first or last: as a part of its own, else before or behind `_` in the metric. */
function withoutSplit(parts: readonly string[], split: Split): { readonly split: Split; readonly parts: string[] } {
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  const [leading, trailing] = [splitOf(first), splitOf(last)];
  if (parts.length > 1 && leading !== undefined) return { split: leading, parts: parts.slice(1) };
  if (parts.length > 1 && trailing !== undefined) return { split: trailing, parts: parts.slice(0, -1) };
  const rest = parts.slice(0, -1);
  const [, before = "", behind = ""] = /^([^_]+)_(.+)$/.exec(last) ?? [];
  const prefix = splitOf(before);
  if (prefix !== undefined) return { split: prefix, parts: [...rest, behind] };
  const [, head = "", word = ""] = /^(.+)_([^_]+)$/.exec(last) ?? [];
  const suffix = SUFFIXES.has(word.toLowerCase()) && !NO_METRIC.test(head) ? splitOf(word) : undefined;
  if (suffix !== undefined) return { split: suffix, parts: [...rest, head] };
  return { split, parts: [...parts] };
}
