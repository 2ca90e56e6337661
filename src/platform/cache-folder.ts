/** @file Where this program keeps what it can make again. */
import { homedir } from "node:os";
import { join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** `DNN_COOL_CACHE`, else a folder of our own in the user's cache folder, by the customs of the system. */
export function cacheFolder(env: Environment = process.env): string {
  const { DNN_COOL_CACHE: own } = env;
  return own !== undefined && own !== "" ? own : join(userCacheFolder(env), "dnn-cool");
}

function userCacheFolder(env: Environment): string {
  if (env.XDG_CACHE_HOME !== undefined && env.XDG_CACHE_HOME !== "") return env.XDG_CACHE_HOME;
  if (process.platform === "win32") return env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local");
  return process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
}
