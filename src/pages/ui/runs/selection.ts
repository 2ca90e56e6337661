/** @file Runs that are chosen to be compared: kept while one looks at others. */
import { useEffect, useState } from "preact/hooks";

const CHANGED = "cool-selection";
let chosen: readonly string[] = [];

export interface Selection {
  /** In the order in which they were chosen. */
  readonly ids: readonly string[];
  toggle(id: string): void;
  /** These are chosen, too. */
  add(ids: readonly string[]): void;
  /** These are no longer chosen. */
  drop(ids: readonly string[]): void;
  clear(): void;
}

function set(ids: readonly string[]): void {
  chosen = ids;
  dispatchEvent(new Event(CHANGED));
}

export function useSelection(): Selection {
  const [ids, setIds] = useState(chosen);
  useEffect(() => {
    const changed = (): void => setIds(chosen);
    changed();
    addEventListener(CHANGED, changed);
    return () => removeEventListener(CHANGED, changed);
  }, []);
  return {
    ids,
    toggle: (id) => set(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]),
    add: (more) => set([...new Set([...chosen, ...more])]),
    drop: (gone) => set(chosen.filter((id) => !gone.includes(id))),
    clear: () => set([]),
  };
}
