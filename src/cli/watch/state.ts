/** @file What `cool watch` shows, and what keys make of it: a pure state machine. */
import type { Key } from "../tables/table-view.js";
import { ORDERS, type Order } from "../../watching/watched-store.js";

export const PANES = ["curves", "active", "load", "log"] as const;
export type Pane = (typeof PANES)[number];
/** Weights of smoothing that a key goes through. */
const SMOOTHING = [0, 0.6, 0.9] as const;

export interface WatchState {
  /** The id of the run that is open; null: the list. */
  readonly open: string | null;
  /** The id of the run under the cursor of the list; null: the first one. */
  readonly selected: string | null;
  readonly order: Order;
  readonly pane: Pane;
  /** Lines that each pane is scrolled from its start, the log from its end. */
  readonly scroll: Readonly<Record<Pane, number>>;
  /** What the list and each pane are narrowed to. */
  readonly filters: Readonly<Record<Pane | "list", string>>;
  readonly isTyping: boolean;
  readonly isHelp: boolean;
  readonly isPaused: boolean;
  readonly isLog: boolean;
  readonly smoothing: number;
}

export function initialState(open: string | null): WatchState {
  return {
    open,
    selected: open,
    order: "newest",
    pane: "curves",
    scroll: { curves: 0, active: 0, load: 0, log: 0 },
    filters: { list: "", curves: "", active: "", load: "", log: "" },
    isTyping: false,
    isHelp: false,
    isPaused: false,
    isLog: false,
    smoothing: 0,
  };
}

/** What keys move among. */
export interface WatchPlaces {
  /** Ids of the list, as it is shown. */
  readonly ids: readonly string[];
  /** Rows of a page of the list, and of each pane. */
  readonly listPage: number;
  readonly pages: Readonly<Record<Pane, number>>;
  /** How far each pane can be scrolled. */
  readonly ends: Readonly<Record<Pane, number>>;
}

/** The state after a key; null: the end. */
export function nextState(state: WatchState, key: Key, places: WatchPlaces): WatchState | null {
  if (state.isTyping) return typed(state, key, places);
  if (key.name === "q" || (key.ctrl === true && key.name === "d"))
    return state.isHelp && key.name === "q" ? { ...state, isHelp: false } : null;
  if (state.isHelp) return { ...state, isHelp: false };
  switch (key.sequence) {
    case "?":
      return { ...state, isHelp: true };
    case "/":
      return { ...state, isTyping: true };
    case " ":
      return { ...state, isPaused: !state.isPaused };
  }
  return state.open === null ? inList(state, key, places) : inRun(state, key, places);
}

const filterOf = (state: WatchState): Pane | "list" => (state.open === null ? "list" : state.pane);

function typed(state: WatchState, key: Key, places: WatchPlaces): WatchState {
  const of = filterOf(state);
  const set = (text: string): WatchState => ({
    ...state,
    filters: { ...state.filters, [of]: text },
    ...(of === "list" ? {} : { scroll: { ...state.scroll, [of]: 0 } }),
  });
  switch (key.name) {
    case "return":
    case "enter":
      // the cursor stands on what was found
      return of === "list" && !places.ids.includes(state.selected ?? "")
        ? { ...state, isTyping: false, selected: places.ids[0] ?? state.selected }
        : { ...state, isTyping: false };
    case "escape":
      return { ...set(""), isTyping: false };
    case "backspace":
      return set([...state.filters[of]].slice(0, -1).join(""));
    default: {
      const text = key.sequence ?? "";
      const isText = text !== "" && key.ctrl !== true && key.meta !== true && !/\p{Cc}/u.test(text);
      return isText ? set(state.filters[of] + text) : state;
    }
  }
}

/** By how many rows a key moves; null: it does not. @param page rows of one */
function movement(key: Key, page: number): number | null {
  if (key.sequence === "G") return Number.POSITIVE_INFINITY;
  if (key.ctrl === true && (key.name === "f" || key.name === "b")) return key.name === "f" ? page : -page;
  switch (key.name) {
    case "j":
    case "down":
      return 1;
    case "k":
    case "up":
      return -1;
    case "pagedown":
      return page;
    case "pageup":
      return -page;
    case "g":
    case "home":
      return Number.NEGATIVE_INFINITY;
    case "end":
      return Number.POSITIVE_INFINITY;
    default:
      return null;
  }
}

function inList(state: WatchState, key: Key, { ids, listPage }: WatchPlaces): WatchState {
  const at = Math.max(0, ids.indexOf(state.selected ?? ""));
  const rows = movement(key, listPage);
  if (rows !== null) {
    const next = Math.max(0, Math.min(ids.length - 1, at + rows));
    return { ...state, selected: ids[next] ?? null };
  }
  switch (key.name) {
    case "return":
    case "enter":
    case "right": {
      const open = ids[at] ?? null;
      return { ...state, open, selected: open, scroll: initialState(null).scroll };
    }
    case "s": {
      const orders = Object.keys(ORDERS) as Order[];
      return { ...state, order: orders[(orders.indexOf(state.order) + 1) % orders.length] ?? "newest" };
    }
    case "escape":
      return { ...state, filters: { ...state.filters, list: "" } };
    default:
      return state;
  }
}

function inRun(state: WatchState, key: Key, { ids, pages, ends }: WatchPlaces): WatchState {
  const { pane, scroll } = state;
  const rows = movement(key, pages[pane]);
  if (rows !== null) {
    // the newest line of a log is below
    const moved = scroll[pane] + (pane === "log" ? -rows : rows);
    return { ...state, scroll: { ...scroll, [pane]: Math.max(0, Math.min(ends[pane], moved)) } };
  }
  switch (key.name) {
    case "tab": {
      const step = key.shift === true ? PANES.length - 1 : 1;
      return { ...state, pane: PANES[(PANES.indexOf(pane) + step) % PANES.length] ?? "curves" };
    }
    case "escape":
    case "left":
    case "backspace":
      if (key.name === "escape" && state.filters[pane] !== "")
        return { ...state, filters: { ...state.filters, [pane]: "" } };
      return { ...state, open: null };
    case "n":
    case "p": {
      const at = ids.indexOf(state.open ?? "");
      const next = ids[at + (key.name === "n" ? 1 : -1)];
      return at < 0 || next === undefined ? state : { ...state, open: next, selected: next };
    }
    case "l":
      return { ...state, isLog: !state.isLog };
    case "m":
      return { ...state, smoothing: SMOOTHING[(SMOOTHING.indexOf(state.smoothing as 0) + 1) % SMOOTHING.length] ?? 0 };
    default:
      return state;
  }
}
