/** @file What all answers of a local server have in common. */
import { expect, it } from "vitest";
import { type AccessEntry, addRoute, type App, type AppOptions, createApp } from "../../src/http/app.js";
import { HttpProblem } from "../../src/http/problem.js";

const TOKEN = "0123456789abcdef0123";
const entries: AccessEntry[] = [];
const routes: string[] = [];
const failures: unknown[] = [];

function appWith(options: Partial<AppOptions> = {}): App {
  const app = createApp({
    hosts: [],
    token: null,
    open: ["/health"],
    origins: [],
    onAnswer: (entry, route) => {
      entries.push(entry);
      routes.push(route);
    },
    onFailure: (error) => failures.push(error),
    ...options,
  });
  addRoute(app, "GET", "/health", () => new Response("ok"));
  addRoute(app, "POST", "/jobs", () => new Response("done"));
  addRoute(app, "GET", "/broken", () => {
    throw new Error("the password is hunter2");
  });
  addRoute(app, "GET", "/wrong", () => {
    throw new HttpProblem(400, "bad_row", "Row 3 is wrong.", { row: 3 }, { "retry-after": "1" });
  });
  return app;
}

const ask = (app: App, path: string, init: RequestInit & { readonly headers?: Record<string, string> } = {}) =>
  app.request(path, { ...init, headers: { host: "localhost:8000", ...init.headers } });

it.each([
  ["localhost:8000", 200],
  ["127.0.0.1", 200],
  ["[::1]:8000", 200],
  ["192.168.1.7:8000", 200],
  ["Models.example.org:8000", 200],
  ["evil.example:8000", 421],
  ["localhost.evil.example", 421],
  ["localhost@evil.example", 421],
  ["127.0.0.1.evil.example", 421],
  ["", 421],
])("the host %j is answered with %i", async (host, status) => {
  const app = appWith({ hosts: ["models.example.org"] });
  const response = await ask(app, "/health", { headers: { host } });
  expect(response.status).toBe(status);
});

it("a request without a host is refused", async () => {
  const response = await appWith().request(new Request("http://localhost/health"));
  expect(response.status).toBe(421);
});

it.each([
  ["https://evil.example", 403],
  ["null", 403],
  ["http://localhost:9999", 403],
  ["http://localhost:8000", 200],
  ["https://app.example", 200],
])("the origin %s is answered with %i", async (origin, status) => {
  const app = appWith({ origins: ["https://app.example"] });
  expect((await ask(app, "/jobs", { method: "POST", headers: { origin } })).status).toBe(status);
});

it("pages may read nothing unless their origin is named, also before they ask", async () => {
  const preflight = {
    method: "OPTIONS",
    headers: { origin: "https://app.example", "access-control-request-method": "POST" },
  };
  const closed = await ask(appWith(), "/jobs", preflight);
  expect(closed.status).toBe(403);
  expect(closed.headers.get("access-control-allow-origin")).toBeNull();
  // before a token is asked for: a browser sends none with it
  const open = await ask(appWith({ origins: ["https://app.example"], token: TOKEN }), "/jobs", preflight);
  expect(open.status).toBe(204);
  expect(open.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect(open.headers.get("access-control-allow-headers")).toMatch(/authorization/i);
});

it.each([
  [undefined, 401],
  ["Bearer wrong-0123456789", 401],
  [TOKEN, 401],
  [`Basic ${TOKEN}`, 401],
  [`Bearer ${TOKEN} more`, 401],
  [`Bearer ${TOKEN.slice(1)}`, 401],
  [`Bearer ${TOKEN}`, 200],
  [`bearer ${TOKEN}`, 200],
])("the authorization %j is answered with %i", async (authorization, status) => {
  const app = appWith({ token: TOKEN });
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const response = await ask(app, "/jobs", { method: "POST", headers });
  expect(response.status).toBe(status);
  expect(response.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  expect((await ask(app, "/health", { headers: {} })).status).toBe(200);
});

it("an error has the form of --json, and the headers of every answer", async () => {
  const response = await ask(appWith(), "/wrong");
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: "bad_row", message: "Row 3 is wrong.", facts: { row: 3 } });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "retry-after": "1",
    "x-content-type-options": "nosniff",
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
  });
});

it("a failure of our own is told to the log, not to whoever asks", async () => {
  failures.length = 0;
  const response = await ask(appWith(), "/broken");
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("hunter2");
  expect(failures.map(String)).toEqual(["Error: the password is hunter2"]);
});

it("other methods and paths have an answer of their own", async () => {
  const app = appWith();
  const wrongMethod = await ask(app, "/jobs");
  expect([wrongMethod.status, wrongMethod.headers.get("allow")]).toEqual([405, "POST"]);
  for (const path of ["/nothing", "/jobs/../../etc/passwd", "//health", "/jobs/"]) {
    expect((await ask(app, path)).status, path).toBe(404);
  }
  expect((await ask(app, "/health", { method: "HEAD" })).status).toBe(200);
});

it("the log has a line for each answer, without its query", async () => {
  entries.length = routes.length = 0;
  const app = appWith();
  await ask(app, "/health?token=secret");
  await ask(app, "/a/b/c");
  expect(entries).toMatchObject([
    { method: "GET", path: "/health", status: 200, remote: null, ms: expect.any(Number) },
    { method: "GET", path: "/a/b/c", status: 404 },
  ]);
  expect(routes).toEqual(["/health", "other"]);
});
