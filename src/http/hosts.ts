/** @file Names under which a server may be asked, so that no page of another site reaches it by a name of its own. */
import { isIP } from "node:net";
import { UsageError } from "../errors.js";

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  const name = withoutBrackets(host).toLowerCase();
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/**
 * The name in a Host header, without its port; null where it is none.
 * @param header as it came, `[::1]:8000` or `localhost:8000`
 */
export function hostName(header: string): string | null {
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header) ?? [];
  return name === undefined ? null : withoutBrackets(name).toLowerCase();
}

/**
 * Whether a request was meant for this server. DNS rebinding needs a name: an address that was written as a number was
 * not looked up, and `localhost` is looked up nowhere else.
 * @param names further ones that are allowed
 */
export function isKnownHost(header: string | undefined, names: readonly string[]): boolean {
  const name = header === undefined ? null : hostName(header);
  if (name === null) return false;
  return isIP(name) !== 0 || name === "localhost" || names.some((known) => known.toLowerCase() === name);
}

/** `http://[::1]:8000` */
export function urlOf(host: string, port: number): string {
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/**
 * An origin as browsers send it.
 * @throws UsageError for anything else
 */
export function checkOrigin(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text.toLowerCase()) return text.toLowerCase();
  const near = URL.canParse(text) && /^https?:/.test(text) ? new URL(text).origin : "https://example.org";
  throw new UsageError(`--cors ${text} is no origin. Write scheme and host without a path, e.g. ${near}.`, {
    origin: text,
  });
}
