/** @file An answer of the server that is asked for again when the store changes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, isGivenUp, NoAnswer, wordsOf } from "./api.js";
import { useChanges } from "./changes.js";

export interface Answer<T> {
  /** The latest one; null before the first. */
  readonly value: T | null;
  readonly problem: string | null;
  again(): void;
}

interface AnswerOptions<T> {
  readonly first?: T | null;
  /** Between two questions that changes lead to. */
  readonly restMs?: number;
  /** Whether changes of the store matter; default true. */
  readonly isLive?: boolean;
}

interface Known<T> {
  readonly address: string | null;
  readonly value: T | null;
  readonly problem: string | null;
}

/** @param address null: nothing is asked yet */
export function useAnswer<T>(address: string | null, options: AnswerOptions<T> = {}): Answer<T> {
  const { first = null, restMs = 1000, isLive = true } = options;
  const [known, setKnown] = useState<Known<T>>({ address, value: first, problem: null });
  const asker = useRef({ isBusy: false, isAgain: false, stop: new AbortController() });
  const again = useCallback(() => {
    const { current } = asker;
    if (address === null) return;
    // a slow answer is waited for, however often the store changes meanwhile
    current.isAgain = current.isBusy;
    if (current.isBusy) return;
    current.isBusy = true;
    ask<T>(address, undefined, current.stop.signal)
      .then(
        (value) => setKnown({ address, value, problem: null }),
        (error: unknown) => {
          if (isGivenUp(error)) return;
          setKnown((before) => {
            const value = before.address === address ? before.value : null;
            // what is shown stays: that nobody answers is said above it
            return { address, value, problem: error instanceof NoAnswer && value !== null ? null : wordsOf(error) };
          });
        },
      )
      .finally(() => {
        current.isBusy = false;
        if (current.isAgain) again();
      });
  }, [address]);
  const hasFirst = useRef(first !== null);
  useEffect(() => {
    asker.current = { isBusy: false, isAgain: false, stop: new AbortController() };
    if (!hasFirst.current) again();
    hasFirst.current = false;
    return () => {
      asker.current.isAgain = false;
      asker.current.stop.abort();
    };
  }, [again]);
  useChanges(() => isLive && again(), restMs);
  const isCurrent = known.address === address;
  return { value: isCurrent ? known.value : null, problem: isCurrent ? known.problem : null, again };
}
