// builds the pages of `src/pages` into dist/pages: of each folder with a browser.tsx a script and a style sheet for
// browsers, and of its server.tsx a module for Node that renders the same components as HTML
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { browsers, bundling, root } from "./browsers.mjs";
import { licenses } from "./licenses.mjs";

const pages = join(root, "src", "pages");
const out = join(root, "dist", "pages");

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const shared = { ...bundling(out), jsx: "automatic", jsxImportSource: "preact" };

/** Files of this name by the folder that they are the page of. */
const entries = (file, name) =>
  Object.fromEntries(
    readdirSync(pages)
      .filter((page) => [file(page), "browser.tsx"].every((name) => existsSync(join(pages, page, name))))
      .map((page) => [name(page), join(pages, page, file(page))]),
  );
const built = await Promise.all([
  build({
    ...shared,
    entryPoints: entries(
      () => "browser.tsx",
      (page) => page,
    ),
    platform: "browser",
    target: browsers,
    // a script within a page is no module: modules wait for the whole file
    format: "iife",
  }),
  build({
    ...shared,
    entryPoints: entries(
      (page) => `${page}.css`,
      (page) => page,
    ),
    target: browsers,
  }),
  build({
    ...shared,
    entryPoints: entries(
      () => "server.tsx",
      (page) => `${page}-server`,
    ),
    platform: "node",
    target: "node20.9",
    format: "esm",
  }),
]);
const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(join(out, "THIRD-PARTY-LICENSES.txt"), licenses(root, inputs));
