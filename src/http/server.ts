/** @file An application on a socket: limits on time and number, and an end that finishes what is under way. */
import { createServer, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { UsageError } from "../errors.js";
import type { App } from "./app.js";
import { urlOf } from "./hosts.js";
import { HttpProblem } from "./problem.js";

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Within which a request has come whole, and an answer is taken. */
  readonly timeoutMs: number;
  /** Sockets at a time; more are closed at once. */
  readonly maxConnections?: number;
}

/** A server that listens. */
export interface Listening {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more requests and waits for those under way.
   * @returns whether all were answered in time; what was not is cut off
   */
  close(graceMs: number): Promise<boolean>;
}

const HEADERS_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const MAX_CONNECTIONS = 1024;
const POLL_MS = 50;

/** @throws UsageError where the address cannot be had */
export async function listen(app: App, options: ListenOptions): Promise<Listening> {
  const { host, port, timeoutMs, maxConnections = MAX_CONNECTIONS } = options;
  const server = createServer(
    {
      headersTimeout: Math.min(HEADERS_MS, timeoutMs),
      requestTimeout: timeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // slow senders are looked for that often
      connectionsCheckingInterval: Math.min(1000, timeoutMs),
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.maxConnections = maxConnections;
  // a socket on which nothing moves: whoever asked does not take the answer
  server.timeout = 2 * timeoutMs + HEADERS_MS;
  server.on("clientError", refuse);
  await bound(server, host, port);
  const { port: own } = server.address() as AddressInfo;
  return { url: urlOf(host, own), port: own, close: (graceMs) => close(server, graceMs) };
}

/**
 * Finds out before a long start whether an address can be had.
 * @throws UsageError where it cannot
 */
export async function assertFree({ host, port }: Pick<ListenOptions, "host" | "port">): Promise<void> {
  const server = createServer();
  await bound(server, host, port);
  await new Promise((resolve) => server.close(resolve));
}

async function bound(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explained(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `the port is in use. Take another with --port, or any that is free with --port 0`,
    EACCES: `this user may not listen on port ${port}. Take one above 1023 with --port`,
    EADDRNOTAVAIL: `this machine has no such address. Name one that it has with --host`,
    ENOTFOUND: `there is no such name. Name an address with --host`,
    EAI_AGAIN: `the name cannot be looked up. Name an address with --host`,
  };
  const reason = Object.entries(reasons).find(([code]) => code === error.code)?.[1] ?? error.message;
  return new UsageError(
    `Nothing can be served on ${urlOf(host, port)}: ${reason}.`,
    { host, port, code: error.code ?? null },
    { cause: error },
  );
}

/** What is no HTTP, or comes too slowly, in the form of all errors. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable || hasBegun(socket)) {
    socket.destroy();
    return;
  }
  const problem =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? new HttpProblem(408, "too_slow", "The request did not come whole in time. Send it again, faster.")
      : error.code === "HPE_HEADER_OVERFLOW"
        ? new HttpProblem(431, "headers_too_large", "The headers are too large.")
        : new HttpProblem(400, "bad_request", "This is no HTTP request.");
  const body = `${JSON.stringify(problem)}\n`;
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** Whether an answer has begun on the socket, into which no other may be written. */
function hasBegun(socket: Duplex & { readonly _httpMessage?: { readonly headersSent: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}

async function close(server: Server, graceMs: number): Promise<boolean> {
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      isClosed = true;
      resolve();
    });
  });
  const end = performance.now() + graceMs;
  // what is answered by now would be kept alive for the next request
  while (!isClosed && performance.now() < end) {
    server.closeIdleConnections();
    await Promise.race([closed, sleep(POLL_MS)]);
  }
  if (isClosed) return true;
  server.closeAllConnections();
  await closed;
  return false;
}
