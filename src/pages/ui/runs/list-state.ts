/** @file A long list of runs, of which only what is looked at is known: pages that come as they are scrolled to. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ListedRun } from "../../../records/list-runs.js";
import type { RunsPage } from "../../../ui/api/types.js";
import { ask, isGivenUp, NoAnswer, wordsOf } from "../shared/api.js";
import { useChanges } from "../shared/changes.js";

export const PAGE = 100;
/** Between two looks at a list: the store changes twice a second while something trains. */
const REST_MS = 2000;

export interface RunList {
  /** null before the first answer. */
  readonly total: number | null;
  /** Whether that is how many there are; else there may be more. */
  readonly isCounted: boolean;
  readonly columns: readonly string[];
  /** Of the question itself, as for a condition that cannot be understood. */
  readonly problem: string | null;
  runAt(index: number): ListedRun | undefined;
  /** Tells which rows can be seen, from the first up to the one after the last. */
  look(from: number, to: number): void;
  again(): void;
  /** Ids of the runs from one place up to before another, those that nobody has looked at, too. @throws Problem */
  idsBetween(from: number, to: number): Promise<string[]>;
}

interface Known {
  readonly question: string;
  readonly total: number | null;
  readonly view: string | null;
  readonly columns: readonly string[];
  readonly pages: ReadonlyMap<number, readonly ListedRun[]>;
  readonly problem: string | null;
  /** Whether the order is that of the store as it is. */
  readonly isCurrent: boolean;
}

/** @param question parameters of the list, without place and length */
export function useRunList(question: string, first: RunsPage | null): RunList {
  const [known, setKnown] = useState<Known>(() => knownOf(question, first));
  const latest = useRef(known);
  latest.current = known;
  const seen = useRef({ from: 0, to: 1 });
  const asked = useRef(new Map<number, AbortController>());

  const fetchPage = useCallback(
    (page: number, view: string | null) => {
      if (asked.current.has(page)) return;
      const controller = new AbortController();
      asked.current.set(page, controller);
      const query = new URLSearchParams(question);
      query.set("from", String(page * PAGE));
      query.set("limit", String(PAGE));
      if (view !== null) query.set("view", view);
      ask<RunsPage>("/api/runs", query, controller.signal)
        .then((answer) => setKnown((before) => merged(before, question, page, answer)))
        .catch((error: unknown) => {
          if (isGivenUp(error)) return;
          setKnown((before) => ({ ...ofQuestion(before, question), ...failureOf(error) }));
        })
        .finally(() => {
          if (asked.current.get(page) === controller) asked.current.delete(page);
        });
    },
    [question],
  );

  const again = useCallback(() => {
    // at the top new runs appear; further down the list stays as it was, with its rows as they are now
    const isTop = seen.current.from < PAGE / 2;
    for (const page of seenPages(seen.current)) fetchPage(page, isTop ? null : latest.current.view);
  }, [fetchPage]);

  useEffect(() => {
    seen.current = { from: 0, to: 1 };
    again();
    return () => {
      for (const controller of asked.current.values()) controller.abort();
      asked.current.clear();
    };
  }, [again]);
  useChanges(again, REST_MS);
  // an order that takes long is computed now and then, and the last change may come between
  useEffect(() => {
    if (known.isCurrent || known.question !== question) return undefined;
    const timer = setTimeout(again, REST_MS);
    return () => clearTimeout(timer);
  }, [known, question, again]);

  const current = ofQuestion(known, question);
  return {
    ...current,
    isCounted: current.view !== null,
    runAt: (index) => current.pages.get(Math.floor(index / PAGE))?.[index % PAGE],
    look(from, to) {
      seen.current = { from, to };
      for (const page of seenPages(seen.current)) {
        if (!latest.current.pages.has(page) && latest.current.view !== null) fetchPage(page, latest.current.view);
      }
    },
    again,
    idsBetween: (from, to) => idsBetween(new URLSearchParams(question), current.view, from, to),
  };
}

/** As many as the server gives at a time. */
const MOST_AT_ONCE = 500;

async function idsBetween(query: URLSearchParams, view: string | null, from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  if (view !== null) query.set("view", view);
  for (let first = from; first < to; first += MOST_AT_ONCE) {
    query.set("from", String(first));
    query.set("limit", String(Math.min(MOST_AT_ONCE, to - first)));
    const { runs } = await ask<RunsPage>("/api/runs", query);
    ids.push(...runs.map(({ id }) => id));
  }
  return ids;
}

function seenPages({ from, to }: { readonly from: number; readonly to: number }): number[] {
  const [start, end] = [Math.floor(from / PAGE), Math.floor(Math.max(from, to - 1) / PAGE)];
  return Array.from({ length: end - start + 1 }, (_, i) => start + i);
}

function knownOf(question: string, first: RunsPage | null): Known {
  const pages = new Map(first === null ? [] : [[0, first.runs] as const]);
  return {
    ...{ question, pages, problem: null, view: null, isCurrent: true },
    total: first === null ? null : (first.total ?? first.runs.length),
    columns: first?.columns ?? [],
  };
}

/** Where nobody answers, the list stays as it was and asks again: the condition is not to blame. */
function failureOf(error: unknown): Pick<Known, "problem" | "isCurrent"> | Pick<Known, "isCurrent"> {
  return error instanceof NoAnswer ? { isCurrent: false } : { problem: wordsOf(error), isCurrent: true };
}

/** Of another question nothing is known but the columns, which would jump. */
function ofQuestion(known: Known, question: string): Known {
  return known.question === question ? known : { ...knownOf(question, null), columns: known.columns };
}

function merged(before: Known, question: string, page: number, answer: RunsPage): Known {
  const known = ofQuestion(before, question);
  const isSame = answer.view === known.view;
  // pages of another order would not fit; where they can be seen they are asked for, too
  const pages = new Map(isSame ? known.pages : []).set(page, answer.runs);
  const { total, view, columns, is_current: isCurrent } = answer;
  return { question, pages, problem: null, total, view, columns, isCurrent };
}
