/** @file Bodies are read no further than their limits allow. */
import { expect, it } from "vitest";
import { type BodyLimits, ByteBudget, withBody } from "../../src/http/body.js";
import { HttpProblem } from "../../src/http/problem.js";

const limits = (bytes: number, all = 10_000): BodyLimits => ({ bytes, budget: new ByteBudget(all) });
const length = async (body: Uint8Array) => body.length;

/** A body of unknown length. @returns the request, and how many pieces were taken of it */
function chunked(pieces: number, size: number, headers: Record<string, string> = {}) {
  const taken = { count: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken.count++ < pieces) controller.enqueue(new Uint8Array(size));
        else controller.close();
      },
      cancel() {
        taken.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return {
    taken,
    request: new Request("http://localhost/", { method: "POST", headers, body, duplex: "half" } as RequestInit),
  };
}

async function problemOf(work: Promise<unknown>): Promise<HttpProblem> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof HttpProblem) return error;
  throw new Error(`expected a problem, not ${String(error)}`);
}

it("gives the bytes as they came", async () => {
  const request = new Request("http://localhost/", { method: "POST", body: new Uint8Array([1, 2, 3]) });
  expect(await withBody(request, limits(3), async (body) => [...body])).toEqual([1, 2, 3]);
  expect(await withBody(chunked(3, 5).request, limits(15), length)).toBe(15);
  expect(await withBody(new Request("http://localhost/", { method: "POST" }), limits(15), length)).toBe(0);
});

it("a body that says that it is too large is not read", async () => {
  const { request, taken } = chunked(100, 10, { "content-length": "1000" });
  const problem = await problemOf(withBody(request, limits(999), length));
  expect([problem.status, problem.headers.connection]).toEqual([413, "close"]);
  expect(taken.count).toBe(0);
});

it("a body that does not say its length is read up to the limit", async () => {
  const { request, taken } = chunked(1000, 10);
  expect((await problemOf(withBody(request, limits(95), length))).status).toBe(413);
  expect(taken.count).toBe(10);
  expect(taken.isCancelled).toBe(true);
});

it("a body that lies about its length is read up to the limit", async () => {
  const { request } = chunked(1000, 10, { "content-length": "5" });
  expect((await problemOf(withBody(request, limits(95), length))).status).toBe(413);
});

it("all bodies share a memory, which they give back however they end", async () => {
  const shared = limits(80, 100);
  const inUse = withBody(chunked(8, 10).request, shared, async () => {
    const problem = await problemOf(withBody(chunked(8, 10).request, shared, length));
    expect([problem.status, problem.headers["retry-after"]]).toEqual([503, "1"]);
    throw new Error("a failure in use");
  });
  await expect(inUse).rejects.toThrow("a failure in use");
  await problemOf(withBody(chunked(9, 10).request, shared, length));
  expect(await withBody(chunked(8, 10).request, shared, length)).toBe(80);
});

it("a compressed body is refused: its length says nothing of what is in it", async () => {
  const headers = { "content-encoding": "gzip" };
  const request = new Request("http://localhost/", { method: "POST", body: "x", headers });
  expect((await problemOf(withBody(request, limits(95), length))).status).toBe(415);
});

it("a body that breaks off is told so", async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("socket hang up")) });
  const request = new Request("http://localhost/", { method: "POST", body, duplex: "half" } as RequestInit);
  expect((await problemOf(withBody(request, limits(95), length))).code).toBe("body_cut_off");
});
