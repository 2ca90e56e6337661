/** @file Keeps the files of an export in the browser, so that its page works without a network. */

/** What is used of a service worker's scope. */
interface Scope {
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetched) => void): void;
}
interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetched {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = self as unknown as Scope;
const CACHE = `dnn-cool ${scope.registration.scope}`;
const SUMS = "SHA256SUMS";
/** What the list does not list. */
const UNLISTED = ["./", SUMS];

scope.addEventListener("install", (event) => event.waitUntil(Promise.all([keepAll(), scope.skipWaiting()])));
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  const isFixed = new URL(request.url).searchParams.has("sha256");
  event.respondWith(isFixed ? keptFirst(request) : newestFirst(request));
});

/** All files, most of which the page has just brought into the browser's own cache. */
async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  const unlisted = await Promise.all(UNLISTED.map((name) => fetch(addressOf(name), { cache: "no-cache" })));
  if (unlisted.some(({ ok }) => !ok)) throw new Error("the export is not complete");
  const texts = await Promise.all(unlisted.map((response) => response.clone().text()));
  await Promise.all(unlisted.map((response, i) => cache.put(addressOf(UNLISTED[i] ?? SUMS), response)));
  await Promise.all(addressesIn(texts[UNLISTED.indexOf(SUMS)] ?? "").map((address) => keptFirst(new Request(address))));
}

/** A file of a digest is the same for ever. */
async function keptFirst(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  // a damaged file is not kept, so that it can be mended; who reads it says that it is
  if (response.ok && (await hasDigest(response.clone(), request.url))) await cache.put(request.url, response.clone());
  return response;
}

async function hasDigest(response: Response, address: string): Promise<boolean> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === new URL(address).searchParams.get("sha256");
}

/** What may have been replaced by a later export comes from the cache where there is no network. */
async function newestFirst(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  // the page may be asked for with settings in its address
  const address = request.url.replace(/[?#].*$/, "");
  try {
    const response = await fetch(address, { cache: "no-cache" });
    if (response.ok && UNLISTED.map(addressOf).includes(address)) await cache.put(address, response.clone());
    if (response.ok && address === addressOf(SUMS)) await forgetOthers(cache, await response.clone().text());
    return response;
  } catch (error) {
    const kept = await cache.match(address, { ignoreSearch: true });
    if (kept === undefined) throw error;
    return kept;
  }
}

/** Files of an earlier export. */
async function forgetOthers(cache: Cache, sums: string): Promise<void> {
  const listed = new Set(addressesIn(sums));
  for (const { url } of await cache.keys()) {
    if (new URL(url).searchParams.has("sha256") && !listed.has(url)) await cache.delete(url);
  }
}

function addressesIn(sums: string): string[] {
  return [...sums.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, digest, name = ""]) =>
    addressOf(`${name}?sha256=${digest}`),
  );
}

function addressOf(name: string): string {
  return new URL(name, scope.registration.scope).href;
}
