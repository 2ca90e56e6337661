/** @file A command that does not exist: the nearest one, and exit code 2. */
import type { Hook } from "@oclif/core";
import { at } from "../arrays.js";
import { UnknownNameError, UsageError } from "../errors.js";
import { reportError } from "./report-error.js";

const commandNotFound: Hook.CommandNotFound = async ({ id, argv = [], config, context }) => {
  const known = config.commands.filter(({ hidden }) => !hidden).map((command) => typed(command.id));
  context.exit(reportError(explained(typed(id), known), argv.includes("--json")));
};

/** @param known commands as a person types them */
export function explained(wanted: string, known: readonly string[]): UsageError | UnknownNameError {
  // oclif takes words after a command without arguments for a part of its name
  const called = known.find((command) => wanted.startsWith(`${command} `));
  if (called !== undefined) {
    const extra = wanted.slice(called.length + 1);
    return new UsageError(`cool ${called} takes no argument "${extra}". See cool ${called} --help.`, { extra });
  }
  const [topic] = wanted.split(" ");
  const siblings = known.filter((command) => command.startsWith(`${topic} `));
  const topics = known.flatMap((command) => (command.includes(" ") ? [at(command.split(" "), 0)] : []));
  const candidates = siblings.length > 0 ? siblings : new Set([...known, ...topics]);
  return new UnknownNameError("command", wanted, candidates, undefined, { exitCode: 2 });
}

/** `runs:list` as a person types it. */
function typed(id: string): string {
  return id.replaceAll(":", " ");
}

export default commandNotFound;
