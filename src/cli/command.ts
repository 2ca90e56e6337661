/** @file What every command shares: project, store, JSON, interruption, and errors in one paragraph. */
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import type { Job } from "../clusters/job.js";
import type { Launched } from "../clusters/launch.js";
import type { HandOverFlags } from "./cluster-flags.js";
import { InterruptedError, START_AGAIN } from "../errors.js";
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

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** SIGUSR1 is what schedulers are asked to send some time before a limit; Windows has none. */
const STOP_SIGNALS: readonly NodeJS.Signals[] =
  process.platform === "win32" ? END_SIGNALS : [...END_SIGNALS, "SIGUSR1"];
/** Those of a person; the others come from whatever started the command, which may start it again. */
const PERSONAL: readonly (NodeJS.Signals | "limit")[] = ["SIGINT", "SIGHUP"];

const INTERRUPTED = 130;

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
  /** What has told the work to stop. */
  #stoppedBy: NodeJS.Signals | "limit" | null = null;
  /** Whether the same command line goes on where it was interrupted. */
  protected goesOn = false;

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
   * Aborts on the first Ctrl-C, SIGTERM, SIGUSR1 or SIGHUP (a terminal that is closed), and after a time limit; a second
   * Ctrl-C or SIGTERM ends the process at once.
   * @param say tells that the first one was heard; default: on a line of its own, after the terminal's ^C
   * @param limitMs after which it is as if a signal had come
   */
  protected async interruptible<T>(
    work: (signal: AbortSignal) => Promise<T>,
    say: (line: string) => void = (line) => process.stderr.write(`\n${line}\n`),
    limitMs?: number,
  ): Promise<T> {
    const controller = new AbortController();
    const stop = (by: NodeJS.Signals | "limit", line: string): void => {
      this.#stoppedBy = by;
      say(line);
      controller.abort();
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      if (!controller.signal.aborted) {
        stop(signal, "stopping after the current step; press Ctrl-C again to quit at once");
        return;
      }
      // a terminal that closes sends several: to its shell, and to what runs in it; so does a scheduler, which kills
      // what takes too long by itself
      if (signal === "SIGINT" || (signal === "SIGTERM" && !this.goesOn)) process.exit(INTERRUPTED);
    };
    for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
    const onLimit = (): void => {
      if (!controller.signal.aborted) stop("limit", "the time limit is reached: stopping after the current step");
    };
    const timer = limitMs === undefined ? undefined : setTimeout(onLimit, limitMs);
    try {
      return await work(controller.signal);
    } finally {
      clearTimeout(timer);
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    }
  }

  /** The exit code of an error that was told: what was interrupted, and goes on by itself, asks to be started again. */
  #exitCode(error: Error, code: number): number {
    const isAsked = this.#stoppedBy !== null && !PERSONAL.includes(this.#stoppedBy);
    return error instanceof InterruptedError && this.goesOn && isAsked ? START_AGAIN : code;
  }

  /** Ends with the first Ctrl-C, SIGTERM or SIGHUP, which is how what serves is stopped. */
  protected untilInterrupted(): Promise<void> {
    return new Promise((resolve) => {
      const onSignal = (): void => {
        for (const signal of END_SIGNALS) process.off(signal, onSignal);
        resolve();
      };
      for (const signal of END_SIGNALS) process.on(signal, onSignal);
    });
  }

  /** Hands a job to another machine, or only shows what would be handed over. */
  protected async handOver(flags: HandOverFlags, job: Omit<Job, "needs">, projectDir: string): Promise<Launched> {
    const [{ launch, parseTarget }, { plainName }, { needsOf }] = await Promise.all([
      import("../clusters/launch.js"),
      import("../clusters/job.js"),
      import("./cluster-flags.js"),
    ]);
    const place = {
      ...{ projectDir: resolve(projectDir), folder: process.cwd(), name: job.name },
      logDir: join(resolve(flags.store ?? join(projectDir, ".cool")), "jobs"),
    };
    const plain = { ...job, name: plainName(job.name), needs: needsOf(flags) };
    const launched = launch(parseTarget(flags.on, flags), plain, place, flags.print);
    if (flags.print && !this.jsonEnabled()) this.writeData(`${launched.script}\n`);
    for (const line of launched.told) this.log(line);
    return launched;
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
    process.exitCode = this.#exitCode(error, reportError(error, this.jsonEnabled()));
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
