/** @file How a failure is told: one paragraph on stderr or one JSON document on stdout, and the exit code. */
import { concise, CoolError, messageOf, sentence, UnknownNameError, UsageError } from "../errors.js";
import { printable, printableJson } from "../platform/printable.js";

/** What oclif throws about flags and arguments. */
interface ParseError extends Error {
  /** Those that the command does not have. */
  readonly flags?: readonly string[];
}

/** The command that was called, as far as messages need it. */
export interface CalledCommand {
  /** As it is typed: `cool runs list`. */
  readonly name: string;
  /** Names of its flags, without dashes. */
  readonly flags: readonly string[];
}

/** Whatever was thrown as an error: a user's code may throw a text, or nothing. */
export function asError(thrown: unknown): Error & { readonly oclif?: { readonly exit?: number } } {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}

/** Errors of oclif in the words and with the exit code of ours; anything else unchanged. */
export function toCoolError(error: Error, command: CalledCommand): Error {
  if (error instanceof CoolError) {
    const [, own] = OWN_CHECK.exec(error.message) ?? [];
    if (own !== undefined) error.message = own;
    return error;
  }
  const [, missing] = NO_SUCH_PATH.exec(error.message) ?? [];
  if (missing !== undefined) return new UsageError(`There is no folder ${missing}.`, { path: missing });
  if (!isParseError(error)) return error;
  const [unknown] = error.flags ?? [];
  if (unknown !== undefined) {
    const known = command.flags.map((flag) => `--${flag}`);
    return new UnknownNameError("flag", unknown, known, command.name, { exitCode: 2 });
  }
  const text = error.message
    .replace(SEE_HELP, "")
    .replace(PREAMBLE, "")
    .replace(GREEDY_FLAGS, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return new UsageError(`${sentence(text)} See ${command.name} --help.`, { command: command.name }, { cause: error });
}

// a hint about flags that take all words after them; ours take one each
const GREEDY_FLAGS = /\s*Note: --[\s\S]* the beginning of arguments\.?/;
// what arguments and flags that name a folder throw
const NO_SUCH_PATH = /^No directory found at (.*)$/;
// what it writes around an error that a flag throws of itself
const OWN_CHECK = /^Parsing --\S+\s+([\s\S]*?)\s+See more help with --help$/;
const PREAMBLE = /^The following errors? occurred:/;
const SEE_HELP = /\s*See more help with --help$/;

/** Its classes are not exported; they share their last line. */
function isParseError(error: Error): error is ParseError {
  return "oclif" in error && SEE_HELP.test(error.message);
}

/** The document that `--json` prints about an error. */
export function errorJson(error: unknown): unknown {
  const {
    error: name,
    message,
    facts,
  } = error instanceof CoolError ? error.toJSON() : { error: "Error", message: messageOf(error), facts: {} };
  return { error: name, message: concise(message), facts };
}

/**
 * Tells an error; its stack only where `DEBUG` asks for it.
 * @returns the exit code
 */
export function reportError(error: Error & { readonly oclif?: { readonly exit?: number } }, json: boolean): number {
  if (/(^|,)(\*|cool)/.test(process.env.DEBUG ?? "")) process.stderr.write(`${printable(error.stack ?? "")}\n`);
  if (json) process.stdout.write(`${printableJson(errorJson(error))}\n`);
  else process.stderr.write(`Error: ${printable(concise(error.message))}\n`);
  return error instanceof CoolError ? error.exitCode : (error.oclif?.exit ?? 1);
}
