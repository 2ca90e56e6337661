/** @file The frame of every page: what is in it can be read without scripts, and begins with the data that scripts need. */
import type { HttpProblem } from "../../http/problem.js";
import type { About } from "../api/types.js";
import type { Assets } from "./assets.js";
import { embeddedJson, html, type Html } from "./html.js";

/** No script, style, picture or connection but our own; pictures also as data. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export interface Shell {
  readonly title: string;
  /** What is shown until scripts take over, and without them. */
  readonly plain: Html;
  /** What the first view would ask for, by its address; null: it asks. */
  readonly first: unknown;
}

export function pageResponse({ title, plain, first }: Shell, about: About, assets: Assets, status = 200): Response {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · dnn-cool</title>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" href="data:,">
<script defer src="${assets.script}"></script>
</head>
<body>
<div id="app">${plain}</div>
<script type="application/json" id="first">${embeddedJson({ about, first })}</script>
</body>
</html>
`;
  return pageOf(page, status);
}

/** An error as a page. */
export function problemPage(problem: HttpProblem): Response {
  const isLocked = problem.status === 401;
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>${String(problem.status)} · dnn-cool</title></head>
<body><main>
${
  isLocked
    ? LOCKED
    : html`<h1>This cannot be shown</h1>
<pre>${problem.message}</pre>
<p><a href="/">All runs</a></p>`
}
</main></body>
</html>
`;
  return pageOf(page, problem.status, problem.headers);
}

/** For a page of a server that was started again, too: its cookie has the token of the one before. */
const LOCKED = html`<h1>This page needs the token of cool ui</h1>
<p>Open the address that <code>cool ui</code> printed in its terminal when it started: it ends in <code>?token=…</code>.
The token is new at every start, so that pages, bookmarks and addresses of an earlier one no longer open. After that
address was opened, this page opens, too.</p>
<p>Where <code>cool ui</code> has ended, start it again. To keep one token for all starts, set <code>COOL_UI_TOKEN</code>.
Programs send the header <code>Authorization: Bearer TOKEN</code>.</p>`;

function pageOf(page: Html, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(page.markup, {
    status,
    headers: { ...headers, "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY },
  });
}
