/** @file The browser of whoever sits at this computer. */
import { spawn } from "node:child_process";

const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  // the first argument that is quoted would be the title of a window
  win32: ["cmd", "/c", "start", ""],
};

/** Shows an address, if there is a screen and a browser; `BROWSER=none` keeps it from that, as elsewhere. */
export function openBrowser(url: string, env: NodeJS.ProcessEnv = process.env, platform = process.platform): void {
  const command = browserCommand(env, platform);
  if (command === null) return;
  const [program = "", ...args] = command;
  // nothing hangs on it: the address is printed, too
  spawn(program, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref();
}

/** Program and arguments that show an address; null where nobody would see it. */
export function browserCommand(env: NodeJS.ProcessEnv, platform: string): readonly string[] | null {
  if (env.BROWSER === "none" || env.CI !== undefined) return null;
  const own = OPENERS[platform];
  if (own !== undefined) return own;
  return env.DISPLAY === undefined && env.WAYLAND_DISPLAY === undefined ? null : ["xdg-open"];
}
