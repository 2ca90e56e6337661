/** @file A folder on loopback, for a browser on this computer. */
import { createReadStream, realpathSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream";

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
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  // asked again each time, and answered with 304
  "cache-control": "no-cache",
};

/**
 * Serves the files of a folder, to this computer alone.
 * @param port 0: a free one
 */
export async function serveFolder(folder: string, port = 0): Promise<ServedFolder> {
  const root = realpathSync(folder);
  const server = createServer((request, response) => answer(root, hostsOf(server), request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server)}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Under another name a page from elsewhere would read the folder (DNS rebinding). */
function hostsOf(server: Server): readonly string[] {
  return ["127.0.0.1", "localhost"].map((name) => `${name}:${portOf(server)}`);
}

function answer(root: string, hosts: readonly string[], request: IncomingMessage, response: ServerResponse): void {
  const { method = "", headers, url = "/" } = request;
  const file = fileAt(root, url);
  if (!hosts.includes(headers.host ?? "")) refuse(response, 421, "This server has another name.");
  else if (method !== "GET" && method !== "HEAD") refuse(response, 405, "Files are only read here.");
  else if (file === null) refuse(response, 404, "There is no such file.");
  else send(file, method, headers["if-none-match"], response);
}

/** @param known the version of the file that a browser has */
function send(file: string, method: string, known: string | undefined, response: ServerResponse): void {
  const { size, mtimeMs } = statSync(file);
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  const type = TYPES[extname(file)] ?? "text/plain; charset=utf-8";
  const isKnown = known === etag;
  const ofBody = isKnown ? {} : { "content-type": type, "content-length": size };
  response.writeHead(isKnown ? 304 : 200, { ...HEADERS, etag, ...ofBody });
  if (isKnown || method === "HEAD") response.end();
  else pipeline(createReadStream(file), response, () => {});
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
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
