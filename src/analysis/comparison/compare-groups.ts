/** @file Which runs are repeats of one experiment with other seeds. */
import type { ComparableRun, ConfigValue, FlatFacts } from "./comparable-run.js";

/** Runs that differ in their seed alone, or the runs of a group that was named. */
export interface RunGroup {
  /** What the names of its runs have in common. */
  readonly name: string;
  /** Indices of the runs. */
  readonly runs: readonly number[];
  /** Seeds of the runs, in their order. */
  readonly seeds: readonly ConfigValue[];
}

/** The setting in which the runs of a group differ. */
export const SEED_KEY = "train.seed";

/**
 * Parts the runs into groups, in the order of their first runs. A repeat with a seed that its group already has begins
 * a group of its own: it is no further draw of chance, and would feign certainty.
 * @returns empty where no two runs differ in their seed alone
 */
export function groupsBySeed(runs: readonly ComparableRun[]): RunGroup[] {
  const members = new Map<string, number[]>();
  runs.forEach((run, index) => {
    const key = identityOf(run);
    const sameSeed = (other: number): boolean => seedOf(runs[other]) === seedOf(run);
    for (let copy = 0; ; copy++) {
      const group = members.get(`${copy} ${key}`) ?? [];
      if (group.some(sameSeed)) continue;
      members.set(`${copy} ${key}`, [...group, index]);
      return;
    }
  });
  const groups = [...members.values()];
  if (groups.every((group) => group.length === 1)) return [];
  return groups.map((group) => ({
    name: commonName(group.map((index) => runs[index]?.name ?? "")),
    runs: group,
    seeds: group.map((index) => seedOf(runs[index])),
  }));
}

/** The seed of a run; null where it has none. */
export function seedOf(run: ComparableRun | undefined): ConfigValue {
  return run?.config[SEED_KEY] ?? null;
}

function identityOf({ config, code = {}, data = {}, identity = { ...code, ...data } }: ComparableRun): string {
  const { [SEED_KEY]: _, ...settings } = config;
  return JSON.stringify([sorted(settings), sorted(identity)]);
}

function sorted(facts: FlatFacts): readonly (readonly [string, ConfigValue])[] {
  return Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The start that all names share, without a trailing number or separator; the first name where that is too short. */
function commonName(names: readonly string[]): string {
  const [first = "", ...others] = names;
  if (others.length === 0) return first;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  const shared = first.slice(0, length).replace(/([-_. ]*(seed|s)?[-_. ]*\d*|[-_. ]+)$/i, "");
  return shared.length >= 3 ? shared : first;
}
