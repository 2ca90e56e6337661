/** @file Which curves and values are kept where there are more than a report holds: something of every task first. */

/** What tells of a metric of a task, in the order in which it is missed. */
export interface Ranked {
  readonly task: string;
  /** The less, the earlier among those of its task. */
  readonly rank: number;
  /** Whether it comes before everything else. */
  readonly isFirst: boolean;
}

/**
 * One of each task, then the next of each, until there are enough of them.
 * @returns at most `most`, in the order in which they were given
 */
export function inTurns<Item>(items: readonly Item[], most: number, rankOf: (item: Item) => Ranked): readonly Item[] {
  if (items.length <= most) return items;
  const ranked = items.map((item, place) => ({ item, place, ...rankOf(item) }));
  const taken = new Map<string, number>();
  const turns = ranked
    .toSorted((a, b) => a.rank - b.rank || a.place - b.place)
    .map((one) => {
      const turn = taken.get(one.task) ?? 0;
      taken.set(one.task, turn + 1);
      return { ...one, turn: one.isFirst ? -1 : turn };
    });
  return turns
    .sort((a, b) => a.turn - b.turn || a.place - b.place)
    .slice(0, most)
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
