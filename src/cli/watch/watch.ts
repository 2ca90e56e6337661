/** @file Shows a store on the whole terminal until its user quits, and follows what is written to it. */
import { Screen } from "../screen/terminal.js";
import type { WatchedStore } from "../../watching/watched-store.js";
import { StoreData } from "./store-data.js";
import { initialState, nextState, type WatchState } from "./state.js";
import { drawWatch, placesOf } from "./view.js";

/** How often the store is asked whether anything was written: two system calls. */
const POLL_MS = 400;
/** How often processes of running runs are looked for, and the clock of one moves. */
const LOOK_MS = 2000;

export interface WatchOptions {
  /** Only these runs and groups; null: all. */
  readonly ids: ReadonlySet<string> | null;
  /** The run to open; null: the list. */
  readonly open: string | null;
  readonly hasColour: boolean;
}

/** @returns whether a signal ended it */
export function watch(
  watched: WatchedStore,
  { ids, open, hasColour }: WatchOptions,
): Promise<{ readonly interrupted: boolean }> {
  const source = new StoreData(watched, ids);
  let state: WatchState = initialState(open);
  let data = source.at(new Date(), state.order);
  let mark = "";
  let lookedAt = performance.now();
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        end(() => reject(error));
      }
    };
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      screen.close();
      settle();
    };
    const draw = (): void => screen.show(drawWatch(state, data, screen.size, hasColour));
    const screen = new Screen({
      onKey: (key) =>
        attempt(() => {
          const next = nextState(state, key, placesOf(state, data, screen.size));
          if (next === null) return end(() => resolve({ interrupted: false }));
          const isNewOrder = next.order !== state.order || (state.isPaused && !next.isPaused);
          state = next;
          if (isNewOrder) data = source.at(new Date(), state.order);
          draw();
        }),
      onResize: () => attempt(draw),
      onEnd: (interrupted) => end(() => resolve({ interrupted })),
    });
    const poll = (): void =>
      attempt(() => {
        if (!state.isPaused) refresh();
        timer = setTimeout(poll, POLL_MS);
      });
    const refresh = (): void => {
      const isWritten = watched.poll();
      const now = performance.now();
      const isRunning = data.runs.some(({ displayState }) => displayState === "running");
      const isDue = isRunning && now - lookedAt >= LOOK_MS;
      const output = source.outputMark(state.open);
      if (!isWritten && !isDue && output === mark) return;
      mark = output;
      if (isDue || isWritten) lookedAt = now;
      data = source.at(new Date(), state.order, isDue);
      draw();
    };
    attempt(draw);
    timer = setTimeout(poll, POLL_MS);
  });
}
