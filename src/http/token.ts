/** @file A bearer token (RFC 6750): read from where it is kept, compared in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";
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
  return timingSafeEqual(digest(given), digest(token));
}

/** Of one length, whatever the text. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
