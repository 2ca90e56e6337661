/** @file Output that is wider than the terminal, read in the pager that its user has chosen. */
import { spawn } from "node:child_process";

/** less: ends by itself where everything fits a screen, keeps colours, does not wrap, leaves the text on the screen. */
const LESS = "FRSX";

/**
 * Shows a text through `PAGER` (default `less`), and returns when it is closed.
 * @returns false where there is no pager: nothing was shown
 */
export async function page(text: string, environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const program = environment.PAGER ?? "less";
  if (program === "" || program === "cat") return false;
  // a setting such as "less -R" is a line for the shell, as in git and man
  const pager = spawn(program, {
    shell: true,
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...environment, LESS: environment.LESS ?? LESS },
  });
  // Ctrl-C is the pager's: it stops a search there
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  try {
    return await new Promise((resolve) => {
      // the reader may close it before the end
      pager.stdin.on("error", ignore);
      pager.on("error", () => resolve(false));
      // of a shell: no such program, or none that may be run
      pager.on("close", (code) => resolve(code !== 127 && code !== 126));
      pager.stdin.end(text);
    });
  } finally {
    process.off("SIGINT", ignore);
  }
}
