/** @file What every command shares: project, store, JSON, interruption, and errors in one paragraph. */
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { runHook } from "../platform/hook.js";
import { printable, printableJson } from "../platform/printable.js";
import { findStoreDir } from "../project/project-dir.js";
import { migrationNote } from "../storage/database/migrations.js";
import { openRunStore, type RunStore, type StoreOptions } from "../storage/run-store.js";
import { asError, errorJson, reportError, toCoolError } from "./report-error.js";
import { guardStreams } from "./streams.js";
import { displayWidth } from "./tables/display-width.js";
import { setWide } from "./tables/table-layout.js";
import { useColour } from "./tables/tables.js";
import { fill } from "./text.js";

/** Whether a command reads a store, changes what is in it, or makes one where there is none. */
type StoreAccess = "read" | "change" | "create";

const ACCESS = {
  read: { readonly: true },
  change: { create: false },
  create: {},
} as const satisfies Record<StoreAccess, StoreOptions>;

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

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
    wide: Flags.boolean({
      summary: "all columns of tables, on a terminal through PAGER",
      helpGroup: "GLOBAL",
    }),
    "no-pager": Flags.boolean({ summary: "wide tables straight to the terminal", helpGroup: "GLOBAL" }),
  };

  /** What waits for the pager; null where nothing does. */
  #held: string[] | null = null;

  protected override async init(): Promise<void> {
    // again: oclif listens to errors of stdout since this module was loaded
    guardStreams();
    await super.init();
    // of this command: what stands behind -- belongs to another
    const own = this.argv.slice(0, this.argv.includes("--") ? this.argv.indexOf("--") : undefined);
    const wide = own.includes("--wide");
    setWide(wide);
    if (wide && !own.includes("--no-pager") && process.stdout.isTTY && process.stdin.isTTY) this.#held = [];
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    const text = (this.#held ?? []).map((line) => `${line}\n`).join("");
    this.#held = null;
    if (text !== "") {
      const { page } = await import("./pager.js");
      const isWider = text
        .split("\n")
        .some((line) => displayWidth(stripVTControlCharacters(line)) > process.stdout.columns);
      if (!isWider || !(await page(text))) process.stdout.write(text);
    }
    await super.finally(error);
  }

  /** Folder of the store that the flags mean. */
  protected storeDir(flags: { readonly project?: string | undefined; readonly store?: string | undefined }): string {
    return flags.store === undefined ? findStoreDir(flags.project ?? ".") : resolve(flags.store);
  }

  /** Opens the store for the time of `use`. */
  protected async withStore<T>(
    flags: { readonly project?: string | undefined; readonly store?: string | undefined },
    use: (store: RunStore) => T | Promise<T>,
    access: StoreAccess = "read",
  ): Promise<T> {
    const store = openRunStore(this.storeDir(flags), ACCESS[access]);
    if (store.backup !== null) this.note(migrationNote(store.backup));
    try {
      return await use(store);
    } finally {
      store.close();
    }
  }

  /**
   * Aborts on the first Ctrl-C, SIGTERM or SIGHUP (a terminal that is closed); a second Ctrl-C or SIGTERM ends the
   * process at once.
   * @param say tells that the first one was heard; default: on a line of its own, after the terminal's ^C
   */
  protected async interruptible<T>(
    work: (signal: AbortSignal) => Promise<T>,
    say: (line: string) => void = (line) => process.stderr.write(`\n${line}\n`),
  ): Promise<T> {
    const controller = new AbortController();
    const onSignal = (signal: NodeJS.Signals): void => {
      if (controller.signal.aborted) {
        // a terminal that closes sends several: to its shell, and to what runs in it
        if (signal !== "SIGHUP") process.exit(130);
        return;
      }
      say("stopping after the current step; press Ctrl-C again to quit at once");
      controller.abort();
    };
    for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
    try {
      return await work(controller.signal);
    } finally {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    }
  }

  /** Ends with the first Ctrl-C, SIGTERM or SIGHUP, which is how what serves is stopped. */
  protected untilInterrupted(): Promise<void> {
    return new Promise((resolve) => {
      const onSignal = (): void => {
        for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
        resolve();
      };
      for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
    });
  }

  /** What a person reads: whatever names, cells and messages hold, nothing but text and our own colours. */
  override log(text = ""): void {
    const shown = printable(text, { colours: useColour() });
    if (this.#held === null) super.log("%s", shown);
    else this.#held.push(shown);
  }

  /** Runs the command line of `--on-finish`, which finds the run in its environment; a failure is a warning. */
  protected async onFinish(
    command: string | undefined,
    run: { readonly id: string; readonly name: string; readonly state: string; readonly dir: string } | undefined,
  ): Promise<void> {
    if (command === undefined || run === undefined) return;
    const facts = { COOL_RUN_ID: run.id, COOL_RUN_NAME: run.name, COOL_RUN_STATE: run.state, COOL_RUN_DIR: run.dir };
    const failure = await runHook(command, facts);
    if (failure !== null) this.note(`warning: the command of --on-finish ${failure}: ${command}`);
  }

  /** Sentences, in lines that fit the terminal. */
  protected logText(text: string): void {
    this.log(
      text
        .split("\n")
        .map((line) => fill(line))
        .join("\n"),
    );
  }

  /** Data for other programs, as it is; where it goes to a terminal, a person reads it. */
  protected writeData(text: string): void {
    process.stdout.write(process.stdout.isTTY ? printable(text) : text);
  }

  /** Warnings of long work go to stderr, so that stdout stays the result's. */
  protected note(line: string): void {
    process.stderr.write(`${printable(line)}\n`);
  }

  /** Without colours, which cost more than the work of a list of a thousand runs. */
  protected override logJson(json: unknown): void {
    process.stdout.write(`${printableJson(json)}\n`);
  }

  protected override toErrorJson(error: unknown): unknown {
    return errorJson(error);
  }

  protected override async catch(anything: unknown): Promise<void> {
    const thrown = asError(anything);
    // not a failure: oclif ends a command so
    if (thrown.oclif?.exit === 0) throw thrown;
    // oclif would warn of arguments that were refused as of ones that were never looked at
    this.parsed = true;
    const name = `${this.config.bin} ${(this.id ?? "").replaceAll(":", " ")}`;
    const error = toCoolError(thrown, { name, flags: Object.keys({ ...this.ctor.baseFlags, ...this.ctor.flags }) });
    process.exitCode = reportError(error, this.jsonEnabled());
  }
}

/** `--run`, `--json` and the like are documented by oclif; a run is named the same way everywhere. */
export const RUN_HELP = "id, unique id prefix, name, or latest";

/** A command when a run has ended, however it ended. */
export const ON_FINISH = Flags.string({
  summary: "a command line for when the run has ended, however it did",
  description: "It finds COOL_RUN_ID, COOL_RUN_NAME, COOL_RUN_STATE and COOL_RUN_DIR in its environment.",
  helpValue: "COMMAND",
});
