/** @file What the server tells of changes of the store: pages ask again for what they show. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ChangeEvent } from "../../../ui/api/types.js";

type Listener = () => void;

/** Between two questions that changes lead to, at least. */
const REST_MS = 1000;

/** One connection for the page, while it can be seen: a browser keeps six to a server. */
class Changes {
  readonly #listeners = new Set<Listener>();
  readonly #states = new Set<(problem: string | null) => void>();
  #source: EventSource | null = null;
  #last = -1;
  #problem: string | null = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#follow());
    this.#follow();
  }

  get problem(): string | null {
    return this.#problem;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  watch(listener: (problem: string | null) => void): () => void {
    this.#states.add(listener);
    return () => void this.#states.delete(listener);
  }

  #follow(): void {
    if (document.hidden) {
      this.#source?.close();
      this.#source = null;
    } else if (this.#source === null) {
      const source = new EventSource("/api/events");
      source.onmessage = ({ data }) => this.#hear(JSON.parse(String(data)) as ChangeEvent);
      source.onerror = () => {
        this.#say("The server does not answer. Is cool ui still running?");
        // a stream that was refused, or ended by the server, is not taken up by the browser itself
        if (source.readyState !== EventSource.CLOSED || this.#source !== source) return;
        this.#source = null;
        setTimeout(() => this.#follow(), 3000);
      };
      this.#source = source;
    }
  }

  #hear({ change, problem }: ChangeEvent): void {
    const isFirst = this.#last < 0;
    const isNew = change !== this.#last;
    this.#last = change;
    this.#say(problem);
    if (isNew && !isFirst) for (const listener of [...this.#listeners]) listener();
  }

  #say(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    for (const state of [...this.#states]) state(problem);
  }
}

let opened: Changes | null = null;

function changes(): Changes {
  opened ??= new Changes();
  return opened;
}

/** Calls back after changes, not more often than every second. */
export function useChanges(back: () => void, restMs: number = REST_MS): void {
  const latest = useRef(back);
  latest.current = back;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let earliest = 0;
    const stop = changes().listen(() => {
      if (timer !== undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          earliest = performance.now() + restMs;
          latest.current();
        },
        Math.max(0, earliest - performance.now()),
      );
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [restMs]);
}

/** Why nothing can be read at the moment; null: it can. */
export function useStoreProblem(): string | null {
  const [problem, setProblem] = useState(changes().problem);
  useEffect(() => changes().watch(setProblem), []);
  return problem;
}
