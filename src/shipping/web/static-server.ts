/** @file A folder on loopback, for a browser on this computer. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { type App, createApp } from "../../http/app.js";
import { HttpProblem } from "../../http/problem.js";
import { listen } from "../../http/server.js";

/** A folder that is served. */
export interface ServedFolder {
  /** With a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".md": "text/plain; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".bin": "application/octet-stream",
};

/** Of the page and its workers; those of the page alone stand in its HTML, too. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' blob:; img-src 'self' blob:; style-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // asked again each time, and answered with 304
  "cache-control": "no-cache",
};

const TIMEOUT_MS = 30_000;

/**
 * Serves the files of a folder, to this computer alone.
 * @param port 0: a free one
 * @throws UsageError where the port cannot be had
 */
export async function serveFolder(folder: string, port = 0): Promise<ServedFolder> {
  const app = folderApp(realpathSync(folder));
  const listening = await listen(app, { host: "127.0.0.1", port, timeoutMs: TIMEOUT_MS });
  return {
    url: `${listening.url}/`,
    // what a browser is still sent, nobody waits for
    close: async () => void (await listening.close(0)),
  };
}

function folderApp(root: string): App {
  const app = createApp({ hosts: [], token: null, open: [], origins: [] });
  app.on(["GET"], "/*", ({ req }) => {
    // the path as it was written: what is decoded is decoded once
    const file = fileAt(root, req.raw.url);
    if (file === null) throw new HttpProblem(404, "not_found", "There is no such file.");
    return answer(file, req.header("if-none-match"));
  });
  app.all("/*", () => {
    throw new HttpProblem(405, "method_not_allowed", "Files are only read here.", {}, { allow: "GET, HEAD" });
  });
  return app;
}

/** @param known the version of the file that a browser has */
function answer(file: string, known: string | undefined): Response {
  const { size, mtimeMs } = statSync(file);
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  if (known === etag) return new Response(null, { status: 304, headers: { ...HEADERS, etag } });
  const type = TYPES[extname(file)] ?? "text/plain; charset=utf-8";
  return new Response(new Uint8Array(readFileSync(file)), { headers: { ...HEADERS, etag, "content-type": type } });
}

/** The file of an address, also through links, if it lies in the folder; null: there is none. */
function fileAt(root: string, url: string): string | null {
  try {
    const { pathname } = new URL(url, "http://folder");
    const path = decodeURIComponent(pathname);
    if (path.includes("\0")) return null;
    const file = realpathSync(join(root, path.endsWith("/") ? `${path}index.html` : path));
    return file.startsWith(root + sep) && statSync(file).isFile() ? file : null;
  } catch {
    // not there, or no address
    return null;
  }
}
