/** @file A folder on loopback: its files, and nothing else. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserCommand } from "../../../src/shipping/web/open-browser.js";
import { type ServedFolder, serveFolder } from "../../../src/shipping/web/static-server.js";
import { writeFiles } from "../../support/folders.js";

let dir: string;
let served: ServedFolder;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cool-served-"));
  writeFiles(dir, { "site/index.html": "<p>hi", "site/a.wasm": "wasm", "secret.txt": "secret", "site-2/b.txt": "b" });
  writeFileSync(join(dir, "site", "a b.txt"), "spaces");
  symlinkSync(join(dir, "secret.txt"), join(dir, "site", "link.txt"));
  served = await serveFolder(join(dir, "site"));
});
afterAll(async () => {
  await served.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** As it is written: fetch would take `..` out of a path. */
function ask(path: string, { method = "GET", headers = {} }: Asked = {}) {
  return new Promise<{ status: number; body: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const { hostname, port } = new URL(served.url);
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.on("error", reject).end();
  });
}

describe("a served folder", () => {
  it("has its files with their types, the index under the folder's name, and a policy for pages and workers", async () => {
    const index = await ask("/?device=wasm");
    expect(index).toMatchObject({ status: 200, body: "<p>hi" });
    expect(index.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("script-src 'self' 'wasm-unsafe-eval';"),
    });
    expect((await ask("/a.wasm")).headers["content-type"]).toBe("application/wasm");
    expect((await ask("/a%20b.txt")).body).toBe("spaces");
    expect(await ask("/a.wasm", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });

  it("is asked again with 304 where nothing has changed", async () => {
    const { headers } = await ask("/a.wasm");
    const again = await ask("/a.wasm", { headers: { "if-none-match": String(headers.etag) } });
    expect(again).toMatchObject({ status: 304, body: "" });
  });

  it.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/link.txt",
    "/../site-2/b.txt",
    "/nothing",
    "/%",
  ])("has nothing at %s", async (path) => {
    const { status, body } = await ask(path);
    expect([status, JSON.parse(body)]).toEqual([
      404,
      { error: "not_found", message: "There is no such file.", facts: {} },
    ]);
  });

  it("answers to its own name alone, and is only read", async () => {
    expect((await ask("/", { headers: { host: "evil.example" } })).status).toBe(421);
    expect((await ask("/", { headers: { host: `localhost:${new URL(served.url).port}` } })).status).toBe(200);
    expect((await ask("/", { method: "POST" })).status).toBe(405);
  });
});

describe("the browser that shows it", () => {
  it("is that of the system, where somebody sees it", () => {
    expect(browserCommand({ DISPLAY: ":0" }, "linux")).toEqual(["xdg-open"]);
    expect(browserCommand({}, "linux")).toBeNull();
    expect(browserCommand({}, "darwin")).toEqual(["open"]);
    expect(browserCommand({ CI: "true" }, "darwin")).toBeNull();
    expect(browserCommand({ BROWSER: "none", DISPLAY: ":0" }, "linux")).toBeNull();
  });
});
