/** @file What the server tells of changes of the store: pages ask again for what they show. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { About, ChangeEvent } from "../../../ui/api/types.js";
import { ask, NOT_THERE, wordsOf } from "./api.js";
import { about } from "./first.js";

type Listener = () => void;

/** Between two questions that changes lead to, at least. */
const REST_MS = 1000;
/** Until a connection that was refused is tried again. */
const RETRY_MS = 3000;

/** One connection for the page, while it can be seen: a browser keeps six to a server. */
class Changes {
  readonly #listeners = new Set<Listener>();
  readonly #states = new Set<Listener>();
  #source: EventSource | null = null;
  #last = -1;
  #problem: string | null = null;
  /** Whether the connection was lost: changes may have been missed, and the server be another. */
  #isLost = false;
  #isOutdated = false;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#follow());
    this.#follow();
  }

  get problem(): string | null {
    return this.#problem;
  }

  /** Whether the server is another than that which this page came from: another version, or with other rights. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  watch(listener: Listener): () => void {
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
      source.onerror = () => void this.#lose(source);
      this.#source = source;
    }
  }

  async #lose(source: EventSource): Promise<void> {
    this.#isLost = true;
    // a stream that was refused, or ended by the server, is not taken up by the browser itself
    const isOver = source.readyState === EventSource.CLOSED;
    const reason = isOver ? await whyLost() : NOT_THERE;
    if (this.#source !== source) return;
    this.#say(reason);
    if (!isOver) return;
    this.#source = null;
    setTimeout(() => this.#follow(), RETRY_MS);
  }

  #hear({ change, problem }: ChangeEvent): void {
    const isNew = change !== this.#last && this.#last >= 0;
    const wasLost = this.#isLost;
    this.#last = change;
    this.#isLost = false;
    this.#say(problem);
    if (wasLost) void this.#compare();
    if (isNew || wasLost) for (const listener of [...this.#listeners]) listener();
  }

  async #compare(): Promise<void> {
    const now = await ask<About>("/api/about").catch(() => about());
    const was = about();
    this.#isOutdated = now.version !== was.version || now.store !== was.store || now.can_edit !== was.can_edit;
    this.#tell();
  }

  #say(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#tell();
  }

  #tell(): void {
    for (const state of [...this.#states]) state();
  }
}

/** The stream itself does not say why it was refused. */
async function whyLost(): Promise<string> {
  try {
    await ask<About>("/api/about");
    return "The server does not say what changes: it was just started, or too many pages are open. This page tries again.";
  } catch (error) {
    return wordsOf(error);
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

export interface ServerState {
  /** Why nothing can be read at the moment; null: it can. */
  readonly problem: string | null;
  /** Whether the page should be loaded again, as the server has become another. */
  readonly isOutdated: boolean;
}

export function useServerState(): ServerState {
  const [state, setState] = useState<ServerState>(() => stateOf(changes()));
  useEffect(() => changes().watch(() => setState(stateOf(changes()))), []);
  return state;
}

function stateOf({ problem, isOutdated }: Changes): ServerState {
  return { problem, isOutdated };
}
