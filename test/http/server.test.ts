/** @file A server on a real socket: slow clients, an address that is taken, and its end. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { addRoute, createApp } from "../../src/http/app.js";
import { ByteBudget, withBody } from "../../src/http/body.js";
import { assertFree, type Listening, listen, type ListenOptions } from "../../src/http/server.js";

const open: Listening[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close(0);
});

let isAsked = false;
let isAborted = false;

async function serve(options: Partial<ListenOptions> = {}): Promise<Listening> {
  const app = createApp({ hosts: [], token: null, open: [], origins: [] });
  addRoute(app, "GET", "/quick", () => new Response("quick"));
  addRoute(app, "GET", "/slow", async (context) => {
    isAsked = true;
    const { signal } = context.req.raw;
    signal.addEventListener("abort", () => {
      isAborted = true;
    });
    await sleep(300);
    return new Response("slow");
  });
  const limits = { bytes: 1000, budget: new ByteBudget(10_000) };
  addRoute(app, "POST", "/body", (context) =>
    withBody(context.req.raw, limits, async (body) => new Response(String(body.length))),
  );
  const listening = await listen(app, { host: "127.0.0.1", port: 0, timeoutMs: 5000, ...options });
  open.push(listening);
  return listening;
}

/** Sends lines as they are. @returns what came until the server closed the socket */
function raw(port: number, ...texts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", async () => {
      for (const text of texts) {
        socket.write(text);
        await sleep(20);
      }
    });
    socket.on("data", (data) => {
      got += data;
    });
    socket.on("close", () => resolve(got));
    socket.on("error", reject);
  });
}

it("a port that is taken is named, with the way out", async () => {
  const { port } = await serve();
  await assertFree({ host: "127.0.0.1", port: 0 });
  await expect(assertFree({ host: "127.0.0.1", port })).rejects.toThrow(/the port is in use/);
  await expect(assertFree({ host: "192.0.2.1", port })).rejects.toThrow(/this machine has no such address/);
  await expect(serve({ port })).rejects.toThrow(
    `Nothing can be served on http://127.0.0.1:${port}: the port is in use. Take another with --port, or any that is free with --port 0.`,
  );
});

it("headers and bodies that do not come are cut off, with an error of the usual form", async () => {
  const { port } = await serve({ timeoutMs: 300 });
  const [headers, body] = await Promise.all([
    raw(port, "GET /quick HTTP/1.1\r\nHost: localhost\r\n"),
    raw(port, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n", "some"),
  ]);
  for (const answer of [headers, body]) {
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ error: "too_slow" });
  }
});

it("what is no HTTP is told so, and a body that is too large ends the connection", async () => {
  const { port } = await serve();
  expect(await raw(port, "HELLO\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 Bad Request[\s\S]*"error":"bad_request"/);
  const large = await raw(port, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n", "some");
  expect(large).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*"error":"body_too_large"/i);
  const chunk = `${(900).toString(16)}\r\n${"x".repeat(900)}\r\n`;
  const chunked = await raw(
    port,
    "POST /body HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    chunk,
    chunk,
  );
  expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
  expect(await raw(port, `GET /quick HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(20_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 /,
  );
});

it("two lengths that differ are refused: nobody may read a second request into the first", async () => {
  const { port } = await serve();
  const smuggled = await raw(
    port,
    "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /quick HTTP/1.1\r\n\r\n",
  );
  expect(smuggled).toMatch(/^HTTP\/1\.1 400 /);
  expect(smuggled).not.toContain("quick");
});

it("a client that goes is noticed while it is answered", async () => {
  [isAsked, isAborted] = [false, false];
  const { url } = await serve();
  const client = new AbortController();
  const answer = fetch(`${url}/slow`, { signal: client.signal });
  await expect.poll(() => isAsked).toBe(true);
  client.abort();
  await expect(answer).rejects.toThrow();
  await expect.poll(() => isAborted).toBe(true);
});

it("the end waits for what is under way, and takes nothing new", async () => {
  const { url, close } = await serve();
  const slow = fetch(`${url}/slow`).then((response) => response.text());
  await sleep(100);
  const closed = close(5000);
  await sleep(20);
  await expect(fetch(`${url}/quick`)).rejects.toThrow();
  expect(await slow).toBe("slow");
  expect(await closed).toBe(true);
});

it("the end does not wait longer than it is given", async () => {
  const { url, close } = await serve();
  const slow = fetch(`${url}/slow`).then(
    () => "answered",
    () => "cut off",
  );
  await sleep(100);
  expect(await close(50)).toBe(false);
  expect(await slow).toBe("cut off");
});
