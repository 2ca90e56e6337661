/** @file Addresses of the pages: each view has one, so that back, forward and bookmarks lead where they did. */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const MOVED = "cool-moved";

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** Goes to an address of these pages. @param replaces whether the one before is forgotten, as for a search that is typed */
export function go(address: string, replaces = false): void {
  if (address === `${location.pathname}${location.search}`) return;
  if (replaces) history.replaceState(null, "", address);
  else {
    history.pushState(null, "", address);
    scrollTo(0, 0);
  }
  dispatchEvent(new Event(MOVED));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const moved = (): void => setPlace(here());
    addEventListener(MOVED, moved);
    addEventListener("popstate", moved);
    document.addEventListener("click", follow);
    return () => {
      removeEventListener(MOVED, moved);
      removeEventListener("popstate", moved);
      document.removeEventListener("click", follow);
    };
  }, []);
  return place;
}

/** Links within the pages are followed without loading a page. */
function follow(event: MouseEvent): void {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.ctrlKey ||
    event.metaKey ||
    event.shiftKey ||
    event.altKey
  ) {
    return;
  }
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (
    link === null ||
    link.origin !== location.origin ||
    link.target !== "" ||
    link.download !== "" ||
    link.hash !== ""
  )
    return;
  event.preventDefault();
  go(`${link.pathname}${link.search}`);
}

export function runAddress(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}

export function groupAddress(id: string): string {
  return `/groups/${encodeURIComponent(id)}`;
}

export function compareAddress(ids: readonly string[]): string {
  return `/compare?${new URLSearchParams(ids.map((id) => ["run", id]))}`;
}

export function searchAddress(where: string): string {
  return `/?${new URLSearchParams({ where })}`;
}
