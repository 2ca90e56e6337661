/** @file What every command shares: project, store, JSON, interruption, and errors in one paragraph. */
import { join, resolve } from "node:path";
import { Command, Flags } from "@oclif/core";
import { CoolError } from "../errors.js";
import { findProjectDir } from "../runs/project.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";

/** Base of all commands. `run` returns what `--json` prints; `--json` prints nothing else on stdout. */
export abstract class CoolCommand extends Command {
  static override enableJsonFlag = true;
  static override baseFlags = {
    project: Flags.directory({
      summary: "folder of the project",
      description: "Default: the nearest folder upwards with a cool.config.*",
      helpGroup: "GLOBAL",
    }),
    store: Flags.string({
      summary: "folder of the run store",
      description: "Default: .cool in the project",
      helpGroup: "GLOBAL",
    }),
  };

  /** Folder of the store that the flags mean. */
  protected storeDir(flags: { readonly project?: string | undefined; readonly store?: string | undefined }): string {
    return flags.store === undefined ? join(findProjectDir(flags.project ?? "."), ".cool") : resolve(flags.store);
  }

  /** Opens the store for the time of `use`. */
  protected async withStore<T>(
    flags: { readonly project?: string | undefined; readonly store?: string | undefined },
    use: (store: RunStore) => T | Promise<T>,
    options: { readonly readonly?: boolean } = { readonly: true },
  ): Promise<T> {
    const store = openRunStore(this.storeDir(flags), options);
    try {
      return await use(store);
    } finally {
      store.close();
    }
  }

  /** Aborts on the first Ctrl-C (or SIGTERM); a second one ends the process at once. */
  protected async interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const onSignal = (): void => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.write("\nstopping after the current step; press Ctrl-C again to quit at once\n");
      controller.abort();
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    try {
      return await work(controller.signal);
    } finally {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    }
  }

  /** Warnings of long work go to stderr, so that stdout stays the result's. */
  protected note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  protected override toErrorJson(error: unknown): unknown {
    return error instanceof CoolError
      ? error.toJSON()
      : { error: "Error", message: (error as Error).message, facts: {} };
  }

  protected override async catch(error: Error & { exitCode?: number; oclif?: { exit?: number } }): Promise<unknown> {
    const exitCode = error instanceof CoolError ? error.exitCode : (error.oclif?.exit ?? 1);
    process.exitCode = exitCode;
    if (error.oclif?.exit === 0) throw error;
    if (/(^|,)(\*|cool)/.test(process.env["DEBUG"] ?? "")) process.stderr.write(`${error.stack}\n`);
    if (this.jsonEnabled()) {
      this.logJson(this.toErrorJson(error));
      return undefined;
    }
    process.stderr.write(`Error: ${error.message}\n`);
    return undefined;
  }
}

/** `--run`, `--json` and the like are documented by oclif; a run is named the same way everywhere. */
export const RUN_HELP = "id, unique id prefix, name, or latest";
