/** @file Keys of `cool watch`. */
import { describe, expect, it } from "vitest";
import type { Key } from "../../../src/cli/tables/table-view.js";
import { initialState, nextState, type WatchPlaces, type WatchState } from "../../../src/cli/watch/state.js";

const places: WatchPlaces = {
  ids: ["a", "b", "c", "d"],
  listPage: 2,
  pages: { curves: 1, active: 4, load: 4, log: 5 },
  ends: { curves: 3, active: 2, load: 0, log: 40 },
};
const key = (name: string): Key =>
  /^[a-z]$/.test(name)
    ? { name, sequence: name }
    : name.length === 1
      ? { name: name.toLowerCase(), sequence: name }
      : { name };

function pressed(keys: readonly (string | Key)[], from: WatchState = initialState(null)): WatchState | null {
  let state: WatchState | null = from;
  for (const one of keys)
    state = state === null ? null : nextState(state, typeof one === "string" ? key(one) : one, places);
  return state;
}

describe("keys in the list", () => {
  it.each([
    [["j", "down"], "c"],
    [["j", "k", "k"], "a"],
    [["pagedown"], "c"],
    [["G"], "d"],
    [["end", "pageup"], "b"],
    [["G", "g"], "a"],
  ])("%j move to %s", (keys, selected) => {
    expect(pressed(keys)?.selected).toBe(selected);
  });

  it("open the run, go to the next one and come back", () => {
    expect(pressed(["j", "return"])?.open).toBe("b");
    expect(pressed(["j", "return", "n", "n", "n"])).toMatchObject({ open: "d", selected: "d" });
    expect(pressed(["j", "return", "p", "escape"])).toMatchObject({ open: null, selected: "a" });
  });

  it("go through the orders, pause, and quit", () => {
    expect(pressed(["s"])?.order).toBe("name");
    expect(pressed(["s", "s", "s", "s", "s"])?.order).toBe("newest");
    expect(pressed([" "])?.isPaused).toBe(true);
    expect(pressed(["q"])).toBeNull();
    expect(pressed([{ name: "d", ctrl: true }])).toBeNull();
  });

  it("are letters of a search until it is closed", () => {
    const found = pressed(["/", "q", "j", "s"]);
    expect(found).toMatchObject({ isTyping: true, filters: { list: "qjs" }, order: "newest" });
    expect(pressed(["backspace", "return"], found ?? undefined)).toMatchObject({
      isTyping: false,
      filters: { list: "qj" },
    });
    expect(pressed(["escape"], found ?? undefined)).toMatchObject({ isTyping: false, filters: { list: "" } });
    // a control character is none
    expect(pressed([{ name: "x", sequence: "\u0018", ctrl: true }], found ?? undefined)?.filters.list).toBe("qjs");
  });

  it("explain themselves until any key", () => {
    expect(pressed(["?"])?.isHelp).toBe(true);
    expect(pressed(["?", "j"])).toMatchObject({ isHelp: false, selected: null });
    expect(pressed(["?", "q"])?.isHelp).toBe(false);
  });
});

describe("keys in a run", () => {
  const open = initialState("a");

  it("go round the panes", () => {
    expect(pressed(["tab"], open)?.pane).toBe("active");
    expect(pressed([{ name: "tab", shift: true }], open)?.pane).toBe("log");
  });

  it("scroll the pane, as far as it goes", () => {
    expect(pressed(["j", "j", "j", "j", "j"], open)?.scroll.curves).toBe(3);
    expect(pressed(["k"], open)?.scroll.curves).toBe(0);
    const log = pressed([{ name: "tab", shift: true }], open) ?? open;
    // the newest line is at the end
    expect(pressed(["k", "pageup"], log)?.scroll.log).toBe(6);
    expect(pressed(["g"], log)?.scroll.log).toBe(40);
    expect(pressed(["g", "G"], log)?.scroll.log).toBe(0);
  });

  it("change axis and smoothing, and clear a search before they leave", () => {
    expect(pressed(["l"], open)?.isLog).toBe(true);
    expect(["m", "mm", "mmm"].map((keys) => pressed([...keys], open)?.smoothing)).toEqual([0.6, 0.9, 0]);
    const searched = pressed(["/", "f", "return"], open) ?? open;
    expect(pressed(["escape"], searched)).toMatchObject({ open: "a", filters: { curves: "" } });
    expect(pressed(["escape", "escape"], searched)?.open).toBeNull();
  });
});
