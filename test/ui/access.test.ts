/** @file Who may see the pages of a store, from where, and what they may not reach. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { addRun, cookieOf, HOST, openUi, TOKEN } from "./ui-app.js";

const one = (): ReturnType<typeof openUi> => openUi((store) => void addRun(store, "base", 0.5));

it("the first address is exchanged for a cookie that scripts and other sites do not have, and is left", async () => {
  const { app } = one();
  const first = await app.request(`/?where=starred&token=${TOKEN}`, { headers: { host: HOST } });
  expect([first.status, first.headers.get("location")]).toEqual([303, "/?where=starred"]);
  expect(first.headers.get("set-cookie")).toMatch(/^cool_7100=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(first.headers.get("set-cookie")).not.toContain(TOKEN);
  const next = await app.request("/api/runs", { headers: { host: HOST, cookie: `other=1; ${cookieOf(first)}` } });
  expect(next.status).toBe(200);
});

it.each([
  ["no cookie", {}],
  ["a wrong one", { cookie: "cool_7100=AAAA" }],
  ["the token itself", { cookie: `cool_7100=${TOKEN}` }],
  ["a wrong token", { authorization: "Bearer 0123456789abcdef0124" }],
])("%s is refused everywhere", async (_, headers) => {
  const { app } = one();
  for (const path of ["/", "/api/runs", "/api/events", "/assets/app-1.js", "/runs/x", "/nothing"]) {
    expect((await app.request(path, { headers: { host: HOST, ...headers } })).status, path).toBe(401);
  }
});

it("a cookie of another port's server is none of this one's", async () => {
  const { app } = one();
  const first = await app.request(`/?token=${TOKEN}`, { headers: { host: "127.0.0.1:7101" } });
  const cookie = cookieOf(first);
  expect(cookie).toMatch(/^cool_7101=/);
  expect((await app.request("/api/runs", { headers: { host: HOST, cookie } })).status).toBe(401);
});

it("a wrong token in the address gives no cookie, and a page that says what to do", async () => {
  const { app } = one();
  const headers = { host: HOST, accept: "text/html,*/*" };
  const response = await app.request("/?token=wrong", { headers });
  expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
  expect(await response.text()).toMatch(/Open the address that <code>cool ui<\/code> printed/);
});

it("whoever reads a page is told by a page, and a program by JSON", async () => {
  const { app, ask } = one();
  const page = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  const old = await app.request("/runs/x", { headers: { host: HOST, cookie: "cool_7100=AAAA", ...page } });
  expect([old.status, old.headers.get("content-type")]).toEqual([401, "text/html; charset=utf-8"]);
  expect(await old.text()).toContain("The token is new at every start");
  const nothing = await ask("/nothing", { headers: page });
  expect([nothing.status, nothing.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
  expect(await nothing.text()).toContain('<a href="/">All runs</a>');
  const program = await app.request("/api/runs", { headers: { host: HOST, accept: "*/*" } });
  expect(await program.json()).toMatchObject({ error: "unauthorized" });
});

it("the way on from the first address leads to no other host", async () => {
  const { app } = one();
  for (const path of ["//evil.example/a", "/\\evil.example/a", "///evil.example"]) {
    const url = `http://${HOST}${path}?token=${TOKEN}`;
    const { headers } = await app.request(new Request(url, { headers: { host: HOST } }));
    expect(headers.get("location"), path).toMatch(/^\/[^/\\]/);
  }
});

it("names that lead here from elsewhere, and pages of other sites, are refused", async () => {
  const { ask } = one();
  expect((await ask("/api/runs", { headers: { host: "evil.example:7100" } })).status).toBe(421);
  expect((await ask("/api/runs", { headers: { origin: "https://evil.example" } })).status).toBe(403);
  const own = await ask("/api/runs", { headers: { origin: `http://${HOST}` } });
  expect([own.status, own.headers.get("access-control-allow-origin")]).toEqual([200, null]);
});

it("data is kept nowhere, files for ever, and pages may load nothing from elsewhere", async () => {
  const { ask } = one();
  const [page, data, file] = [await ask("/"), await ask("/api/runs"), await ask("/assets/app-1.js")];
  expect(page.headers.get("cache-control")).toBe("no-store");
  expect(data.headers.get("cache-control")).toBe("no-store");
  expect(file.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(data.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
});

it("no address reaches a file beside those of the pages and the runs", async () => {
  const { ask, dir, failures } = one();
  mkdirSync(join(dir, "runs", "other"));
  writeFileSync(join(dir, "runs", "other", "stdout.log"), "secret");
  const paths = [
    "/assets/../cool.db",
    "/assets/..%2f..%2fcool.db",
    "/assets/%2e%2e/cool.db",
    "/assets/app-2.js",
    "/assets/",
    "/api/runs/..%2fother/log",
    "/api/runs/other/log",
    "/api/runs/..%2f..%2fetc/log",
    "/runs/..%2f..%2fcool.db",
    "/cool.db",
  ];
  for (const path of paths) {
    const response = await ask(path);
    expect([path, response.status]).toEqual([path, 404]);
    expect(await response.text()).not.toContain("secret");
  }
  expect(failures).toEqual([]);
});

it("an address with nothing at it names one with something", async () => {
  const { ask } = one();
  const { message } = (await (await ask("/nothing")).json()) as { message: string };
  expect(message).toBe("There is nothing at /nothing. All runs are at /.");
});
