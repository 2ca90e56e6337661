/** @file Which rows of a list of any length can be seen: the page scrolls, and only those are drawn. */
import { useEffect, useState } from "preact/hooks";

/** Rows beyond the edges, so that fast scrolling does not show nothing. */
const BEYOND = 12;

export interface VisibleRows {
  readonly from: number;
  /** After the last. */
  readonly to: number;
}

/** @param list element that holds the rows, as tall as all of them */
export function useVisibleRows(
  list: { readonly current: HTMLElement | null },
  count: number,
  rowHeight: number,
): VisibleRows {
  const [rows, setRows] = useState<VisibleRows>({ from: 0, to: Math.min(count, 50) });
  useEffect(() => {
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const from = Math.max(0, Math.floor(-top / rowHeight) - BEYOND);
      const to = Math.min(count, Math.ceil((innerHeight - top) / rowHeight) + BEYOND);
      setRows((before) => (before.from === from && before.to === to ? before : { from, to: Math.max(from, to) }));
    };
    const later = (): void => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    measure();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
    };
  }, [list, count, rowHeight]);
  return rows;
}

/** Whether a condition on the window's size holds. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = (): void => setHolds(media.matches);
    changed();
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, [query]);
  return holds;
}
