/** @file Choosing runs of a list: one, all from the last one on, or all. */
import { useRef } from "preact/hooks";
import { wordsOf } from "../shared/api.js";
import type { RunList } from "./list-state.js";
import type { Selection } from "./selection.js";

/** As many as the server changes at a time. */
const MOST_CHOSEN = 1000;

export interface Choice {
  /** How many of the list are chosen, as far as is known. */
  readonly share: "none" | "some" | "all";
  /** @param isRange whether all from the one that was chosen before are meant */
  choose(index: number, isRange: boolean): void;
  /** All of the list, at most a thousand; where all are chosen, none. */
  chooseAll(): void;
  /** The list is another: no range begins in the one before. */
  forget(): void;
}

/** @param tell is given what went wrong, in words */
export function useChoice(list: RunList, selection: Selection, tell: (problem: string | null) => void): Choice {
  const last = useRef<number | null>(null);
  const most = Math.min(list.total ?? 0, MOST_CHOSEN);
  const isAll = most > 0 && selection.ids.length >= most && isChosen(list, selection, 0, most);
  const add = (from: number, to: number): void => {
    list
      .idsBetween(from, to)
      .then((ids) => {
        tell(null);
        selection.add(ids);
      })
      .catch((error: unknown) => tell(wordsOf(error)));
  };
  return {
    share: isAll ? "all" : selection.ids.length > 0 ? "some" : "none",
    choose(index, isRange) {
      const from = last.current;
      last.current = index;
      const run = list.runAt(index);
      if (isRange && from !== null) add(Math.min(from, index), Math.max(from, index) + 1);
      else if (run !== undefined) selection.toggle(run.id);
    },
    chooseAll() {
      if (isAll) selection.clear();
      else add(0, most);
    },
    forget() {
      last.current = null;
    },
  };
}

/** Whether all of those that are known are. */
function isChosen(list: RunList, { ids }: Selection, from: number, to: number): boolean {
  const chosen = new Set(ids);
  for (let index = from; index < to; index++) {
    const run = list.runAt(index);
    if (run !== undefined && !chosen.has(run.id)) return false;
  }
  return true;
}
