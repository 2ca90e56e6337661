/** @file A bearer token (RFC 6750), or the cookie that stands for it: read from where it is kept, compared in constant time. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { UsageError } from "../errors.js";

const SHORTEST = 16;
const LONGEST = 4096;

/**
 * @param source where it is kept
 * @returns null where there is none
 * @throws UsageError for one that is not there, too short to be secret, or cannot stand in a header
 */
export function readToken(source: {
  readonly file?: string | undefined;
  /** The environment variable, and its value. */
  readonly variable: readonly [name: string, value: string | undefined];
}): string | null {
  const [name, value = ""] = source.variable;
  const place = source.file ?? name;
  const token = source.file === undefined ? value : textOf(source.file);
  if (token === "" && source.file === undefined) return null;
  if (token.length < SHORTEST || token.length > LONGEST || !/^[!-~]+$/.test(token)) {
    throw new UsageError(
      `The token in ${place} must have ${SHORTEST} to ${LONGEST} visible ASCII characters, and has ${token.length}. Make one, e.g. with: openssl rand -hex 32`,
      { place, length: token.length },
    );
  }
  return token;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The token's file ${file} cannot be read: ${reason}.`, { file }, { cause: error });
  }
}

/** Whether a request brings the token. The time that this takes tells nothing of it. */
export function bringsToken(authorization: string | undefined, token: string): boolean {
  const [, given = ""] = /^bearer +([!-~]+) *$/i.exec(authorization ?? "") ?? [];
  return isToken(given, token);
}

/** Whether a text is the token; it takes the same time whatever it is. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

/** A token for as long as a server runs. */
export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * Name of the cookie: browsers send those of one host to all of its ports, so that two servers would overwrite each
 * other's.
 * @param host header of the request
 */
export function cookieOf(host: string | undefined): string {
  return `cool_${/:(\d+)$/.exec(host ?? "")?.[1] ?? "80"}`;
}

/** What the cookie holds: not the token itself, with which programs ask. */
export function cookieValue(token: string): string {
  return digest(`cookie ${token}`).toString("base64url");
}

/** Whether a request brings the cookie. @param header `a=1; b=2` */
export function bringsCookie(header: string | undefined, name: string, token: string): boolean {
  const given = (header ?? "").split(";").map((pair) => pair.trim());
  return given.some((pair) => pair.startsWith(`${name}=`) && isToken(pair.slice(name.length + 1), cookieValue(token)));
}

/** Of one length, whatever the text. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
