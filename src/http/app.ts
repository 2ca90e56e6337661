/** @file An HTTP application for programs on one's own machine and network: what all of its answers have in common. */
import { ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { isKnownHost } from "./hosts.js";
import { asProblem, HttpProblem, problemResponse } from "./problem.js";
import { bringsCookie, bringsToken, cookieOf, cookieValue, isToken } from "./token.js";

/** A request that was answered. */
export interface AccessEntry {
  readonly time: string;
  readonly method: string;
  /** Without its query, which may hold what was asked. */
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly remote: string | null;
  /** What the routes say of it. */
  readonly [more: string]: unknown;
}

export interface AppOptions {
  /** Names by which it may be asked besides `localhost` and addresses. */
  readonly hosts: readonly string[];
  /** What every request must bring; null: nothing. */
  readonly token: string | null;
  /**
   * Whether a browser may bring the token in its first address, `?token=…`, and a cookie from then on; default false.
   * What changes something must then name its origin, which browsers do.
   */
  readonly hasCookie?: boolean;
  /** Paths that are answered without a token. */
  readonly open: readonly string[];
  /** Origins whose pages may ask and read. */
  readonly origins: readonly string[];
  /** Is told of each answer. */
  readonly onAnswer?: (entry: AccessEntry, route: string) => void;
  /** The answer to whoever would read an error as a page; default: the same JSON for all. */
  readonly problemPage?: (problem: HttpProblem) => Response;
  /** Where there is nothing: a sentence on where there is something; default: the description of the interface. */
  readonly whereToLook?: string;
  /** Is told of failures that are nobody's fault but ours. */
  readonly onFailure?: (error: unknown) => void;
}

/** What routes find beside a request. */
export interface AppEnv {
  // node's own request and answer; none where the application is asked without a socket
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    /** Goes into the access log. */
    noted: Record<string, unknown>;
    /** The path as it was declared; "other" where no route is meant. */
    route: string;
    /** Status of an answer that was written to its socket. */
    sent: number | null;
  };
}

export type App = Hono<AppEnv>;
type Handler = (context: Context<AppEnv>) => Response | Promise<Response>;

/** An application without routes: checks of host, origin and token; errors of one form; headers. */
export function createApp(options: AppOptions): App {
  const app = new Hono<AppEnv>();
  app.use(answered(options));
  app.use(guarded(options));
  if (options.origins.length > 0) {
    app.use(cors({ origin: [...options.origins], allowHeaders: ["authorization", "content-type"], maxAge: 600 }));
  }
  app.use(authorized(options));
  app.notFound((context) =>
    problemAnswer(
      options,
      context,
      new HttpProblem(
        404,
        "not_found",
        `There is nothing at ${context.req.path.slice(0, 200)}. ${options.whereToLook ?? "See /openapi.json."}`,
      ),
    ),
  );
  app.onError((error, context) => {
    if (!(error instanceof HttpProblem)) options.onFailure?.(error);
    return problemAnswer(options, context, asProblem(error));
  });
  return app;
}

/** A page for whoever would read one, else the form of all errors. */
function problemAnswer({ problemPage }: AppOptions, context: Context<AppEnv>, problem: HttpProblem): Response {
  return problemPage !== undefined && wantsPage(context) ? problemPage(problem) : problemResponse(problem);
}

/** Adds a route; other methods at its path are refused. */
export function addRoute(app: App, method: "GET" | "POST", path: string, handler: Handler): void {
  app.on(method, path, (context) => {
    context.set("route", path);
    return handler(context);
  });
  const allowed = method === "GET" ? "GET, HEAD" : method;
  app.all(path, () => {
    throw new HttpProblem(405, "method_not_allowed", `${path} takes ${allowed}.`, { allowed }, { allow: allowed });
  });
}

/**
 * An answer of a text, written to its socket at once where there is one: a Response would bring it there through a
 * stream of its own, which takes longer than many an answer.
 */
export function reply(context: Context<AppEnv>, status: number, type: string, body: string): Response {
  const outgoing = socketOf(context);
  const headers = { "content-type": type };
  // what was set on the context goes out with a Response alone
  if (outgoing === null || context.finalized) return new Response(body, { status, headers });
  outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  outgoing.end(body);
  context.set("sent", status);
  return RESPONSE_ALREADY_SENT;
}

function socketOf({ env }: Context<AppEnv>): ServerResponse | null {
  return env?.outgoing instanceof ServerResponse ? env.outgoing : null;
}

const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
} as const;

/** Outermost: headers of every answer, and its entry in the log. */
function answered({ onAnswer }: AppOptions): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const begun = performance.now();
    context.set("noted", {});
    context.set("route", "other");
    context.set("sent", null);
    const outgoing = socketOf(context);
    // those of an answer replace these
    for (const [name, value] of Object.entries(HEADERS)) outgoing?.setHeader(name, value);
    await next();
    if (outgoing === null) addHeaders(context);
    const entry: AccessEntry = {
      time: new Date().toISOString(),
      method: context.req.method,
      path: context.req.path.slice(0, 200),
      status: context.get("sent") ?? context.res.status,
      ms: Math.round((performance.now() - begun) * 100) / 100,
      remote: context.env?.incoming?.socket.remoteAddress ?? null,
      ...context.get("noted"),
    };
    onAnswer?.(entry, context.get("route"));
  };
}

function addHeaders(context: Context<AppEnv>): void {
  for (const [name, value] of Object.entries(HEADERS)) if (!context.res.headers.has(name)) context.header(name, value);
}

/** Against pages of other sites: names that lead here (DNS rebinding), and requests that a browser sends for them. */
function guarded({ hosts, origins }: AppOptions): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const host = context.req.header("host");
    if (!isKnownHost(host, hosts)) {
      throw new HttpProblem(
        421,
        "unknown_host",
        `This server does not answer to the name ${JSON.stringify(host?.slice(0, 100) ?? "")}. Use its address, or have the name allowed.`,
      );
    }
    const origin = context.req.header("origin");
    if (origin !== undefined && !origins.includes(origin) && !isOwn(origin, host ?? "")) {
      throw new HttpProblem(
        403,
        "foreign_origin",
        `Pages of ${JSON.stringify(origin.slice(0, 100))} may not ask this server. Have the origin allowed.`,
      );
    }
    await next();
  };
}

function isOwn(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

function authorized({ token, open, hasCookie = false }: AppOptions): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    if (token === null || open.includes(context.req.path)) return next();
    if (hasCookie && isFirstVisit(context)) return welcome(context, token);
    if (!bringsToken(context.req.header("authorization"), token)) {
      if (!hasCookie || !bringsCookie(context.req.header("cookie"), cookieOf(context.req.header("host")), token)) {
        throw unauthorized(hasCookie);
      }
      refuseWithoutOrigin(context);
    }
    await next();
  };
}

function isFirstVisit({ req }: Context<AppEnv>): boolean {
  return (req.method === "GET" || req.method === "HEAD") && req.query("token") !== undefined;
}

/** The token leaves the address, where it would be seen and kept, for a cookie that no script and no other site has. */
function welcome(context: Context<AppEnv>, token: string): Response {
  if (!isToken(context.req.query("token") ?? "", token)) throw unauthorized(true);
  const { pathname, searchParams } = new URL(context.req.url);
  searchParams.delete("token");
  const query = searchParams.size === 0 ? "" : `?${searchParams}`;
  // with two slashes it would be the address of another host
  const location = `${pathname.replace(/^[/\\]+/, "/")}${query}`;
  const cookie = `${cookieOf(context.req.header("host"))}=${cookieValue(token)}; Path=/; HttpOnly; SameSite=Strict`;
  return new Response(null, { status: 303, headers: { location, "set-cookie": cookie } });
}

/** A browser names the origin of whatever may change something; what a cookie alone vouches for must be a page of ours. */
function refuseWithoutOrigin({ req }: Context<AppEnv>): void {
  if (req.method === "GET" || req.method === "HEAD" || req.header("origin") !== undefined) return;
  throw new HttpProblem(
    403,
    "no_origin",
    "A change must name its origin, as browsers do. Programs send the header Authorization: Bearer TOKEN.",
  );
}

function unauthorized(hasCookie: boolean): HttpProblem {
  const visit = hasCookie ? "open the address that was printed when it started, or " : "";
  return new HttpProblem(
    401,
    "unauthorized",
    `This server asks for a token: ${visit}send the header Authorization: Bearer TOKEN.`,
    {},
    { "www-authenticate": "Bearer" },
  );
}

/** Whether a browser would show the answer. */
function wantsPage({ req }: Context<AppEnv>): boolean {
  return /\btext\/html\b/.test(req.header("accept") ?? "");
}
