/** @file A command as a child process: its output passed on, signals passed to it, and how it ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { StringDecoder } from "node:string_decoder";
import { descendantsOf, sendSignal } from "./descendants.js";

export interface ChildOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its stdout goes. */
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Each line of both, as soon as it is whole. */
  readonly onLine: (line: string) => void;
  /** Seconds from SIGTERM until it is killed. */
  readonly killAfterS: number;
  /** Told when it is killed. */
  readonly onKill: (reason: string) => void;
}

/** How a command ended. */
export interface ChildEnd {
  /** As a shell has it: 128 + n where a signal ended it, 127 where there is no such command. */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | null;
  /** The signal that this process was sent, and passed on. */
  readonly stoppedBy: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly problem: string | null;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What its own children still write after its end is waited for so long. */
const DRAIN_MS = 1000;

/** Runs the command to its end. */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const [program = "", ...words] = options.command;
  const child = spawn(program, words, { stdio: ["inherit", "pipe", "pipe"], env: { ...process.env, ...options.env } });
  passOn(child.stdout, options.stdout, options.onLine);
  passOn(child.stderr, options.stderr, options.onLine);
  const signals = passSignals(child, options);
  try {
    const end = await ended(child);
    return { ...end, stoppedBy: signals.received() };
  } finally {
    signals.stop();
  }
}

function ended(child: ChildProcess): Promise<Omit<ChildEnd, "stoppedBy">> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      // the codes of POSIX shells
      const exitCode = error.code === "ENOENT" ? 127 : 126;
      const problem = exitCode === 127 ? `There is no command ${child.spawnfile}.` : error.message;
      resolve({ exitCode, signal: null, problem });
    });
    child.once("exit", (code, signal) => {
      const exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
      const done = (): void => resolve({ exitCode, signal, problem: null });
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        done();
      }, DRAIN_MS);
      child.once("close", () => {
        clearTimeout(timer);
        done();
      });
    });
  });
}

/** Lines end in \n or, as progress bars redraw themselves, in \r. */
function passOn(from: NodeJS.ReadableStream, to: NodeJS.WritableStream, onLine: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let isGone = false;
  const onGone = (): void => {
    isGone = true;
    from.resume();
  };
  to.on("error", onGone).on("close", onGone);
  from.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/[\r\n]+/);
    rest = (lines.pop() ?? "").slice(-LONGEST_REST);
    for (const line of lines) onLine(line);
    // whom nobody listens to may go on
    if (to.write(chunk) || isGone) return;
    // a reader that is slow slows the command, as it would without us
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.once("close", () => {
    if (rest !== "") onLine(rest);
    to.off("error", onGone).off("close", onGone);
  });
}

const LONGEST_REST = 100_000;

/**
 * Passes on what this process is sent, to the command and all that it has started, as terminals and service managers do:
 * a shell that starts a training ends, and would leave it behind. The Ctrl-C of a terminal goes to all in its foreground, the command included, and
 * would be there twice; a SIGINT that `kill` sends to us alone is passed on.
 */
function passSignals(child: ChildProcess, { killAfterS, onKill }: ChildOptions) {
  let received: NodeJS.Signals | null = null;
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  // those that have lost their parent since they were told are found no more
  const told = new Set<number>();
  const tell = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    for (const pid of [child.pid, ...descendantsOf(child.pid)]) told.add(pid);
    sendSignal(told, signal);
  };
  const kill = (reason: string): void => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    onKill(reason);
    tell("SIGKILL");
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    count += 1;
    if (count === MOST_SIGNALS) kill(`It was told ${MOST_SIGNALS} times to end, and is killed.`);
    if (signal === "SIGINT") {
      void foreground.wasInterrupted().then((all) => {
        if (!all) tell("SIGINT");
      });
      return;
    }
    tell(signal);
    const reason = `It has not ended ${killAfterS} seconds after ${signal}, and is killed.`;
    timer ??= setTimeout(() => kill(reason), killAfterS * 1000);
  };
  const foreground = watchForeground();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    received: () => received,
    stop() {
      clearTimeout(timer);
      foreground.stop();
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

const MOST_SIGNALS = 3;

/** A terminal sends its signal to all at once: so long it is waited for. */
const TOGETHER_MS = 150;

/**
 * Tells the Ctrl-C of a terminal from a SIGINT to this process alone, which Node does not: by a process beside the
 * command, which waits for nothing and dies of the one, and not of the other.
 */
function watchForeground() {
  let watcher = isInTerminal() ? startWatcher() : null;
  return {
    /** Whether all in the foreground were sent the signal that was just received. */
    async wasInterrupted(): Promise<boolean> {
      if (watcher === null) return false;
      const asked = watcher;
      const isOver = (): boolean => asked.exitCode !== null || asked.signalCode !== null;
      const over = new Promise<void>((resolve) => asked.once("exit", () => resolve()));
      if (!isOver()) await Promise.race([over, new Promise((resolve) => setTimeout(resolve, TOGETHER_MS))]);
      if (!isOver()) return false;
      if (watcher === asked) watcher = startWatcher();
      return true;
    },
    stop(): void {
      watcher?.stdin?.end();
      watcher?.kill("SIGKILL");
    },
  };
}

/** Reads what never comes, and ends with us. */
function startWatcher(): ChildProcess {
  const watcher = spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  // where there is none it counts as over: the signal is taken for the terminal's
  watcher.on("error", () => {});
  watcher.stdin.on("error", () => {});
  return watcher;
}

function isInTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}
