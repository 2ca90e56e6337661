/** @file All pages of `cool ui`: the view that an address means, and what stands above each. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ThemeSwitch } from "../theme/theme-switch.js";
import { ComparePage } from "./compare/compare-page.js";
import { GroupPage } from "./groups/group-page.js";
import { GroupsPage } from "./groups/groups-page.js";
import { Help } from "./help.js";
import { RunPage } from "./run/run-page.js";
import { RunsPage } from "./runs/runs-page.js";
import { useServerState } from "./shared/changes.js";
import { about } from "./shared/first.js";
import { useKeys } from "./shared/keys.js";
import { type Place, usePlace } from "./shared/router.js";
import { lineOf } from "./shared/text.js";

export function App() {
  const place = usePlace();
  const { problem, isOutdated } = useServerState();
  const [isHelp, setHelp] = useState(false);
  useKeys({ "?": () => setHelp(true) });
  useTitleFocus(place.path);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="home" href="/">
          dnn-cool
        </a>
        <nav aria-label="pages">
          <a href="/groups">Groups</a>
        </nav>
        <span class="muted small store" title={about().store}>
          {lineOf(about().store, 200)}
          {about().can_edit ? "" : " · read only"}
        </span>
        <ThemeSwitch />
        <button type="button" aria-label="help" onClick={() => setHelp(true)}>
          ?
        </button>
      </header>
      {problem === null ? null : (
        <p class="notice error" role="alert">
          {problem}
        </p>
      )}
      {problem !== null || !isOutdated ? null : (
        <p class="notice" role="status">
          cool ui was started again, with other rights, another store or another version.{" "}
          <button type="button" onClick={() => location.reload()}>
            Load this page again
          </button>
        </p>
      )}
      <View place={place} />
      {isHelp ? <Help onClose={() => setHelp(false)} /> : null}
    </>
  );
}

function View({ place }: { readonly place: Place }) {
  const [, id] = /^\/runs\/([^/]+)$/.exec(place.path) ?? [];
  if (id !== undefined) return <RunPage key={id} id={decoded(id)} />;
  const [, group] = /^\/groups\/([^/]+)$/.exec(place.path) ?? [];
  if (group !== undefined) return <GroupPage key={group} id={decoded(group)} />;
  if (place.path === "/groups") return <GroupsPage />;
  if (place.path === "/compare") return <ComparePage key={place.query.toString()} place={place} />;
  return <RunsPage place={place} />;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Who hears the page is taken to the new view's beginning, as by a page that loads. */
function useTitleFocus(path: string): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    const main = document.getElementById("main");
    main?.setAttribute("tabindex", "-1");
    main?.focus({ preventScroll: true });
  }, [path]);
}
