/** @file A command that does not exist: the nearest one, and exit code 2. */
import type { Hook } from "@oclif/core";
import { UnknownNameError } from "../errors.js";
import { reportError } from "./report-error.js";

const commandNotFound: Hook.CommandNotFound = async ({ id, argv = [], config, context }) => {
  const known = config.commands.filter(({ hidden }) => !hidden).map((command) => typed(command.id));
  const error = new UnknownNameError("command", typed(id), known, undefined, { exitCode: 2 });
  context.exit(reportError(error, argv.includes("--json")));
};

/** `runs:list` as a person types it. */
function typed(id: string): string {
  return id.replaceAll(":", " ");
}

export default commandNotFound;
