// Tools that live in a folder of their own, because they need another TypeScript than the project: installed when they
// are first needed, and again when their lock file has changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Installs what the folder's lock file says. */
export function installTool(folder) {
  const stamp = join(folder, "node_modules", ".installed");
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  runTool("npm", ["ci", "--no-audit", "--no-fund", "--silent"], folder);
  writeFileSync(stamp, lock);
}

/** Runs a program, and ends this one with it where it fails. What it prints is progress: stdout is left to others. */
export function runTool(command, args, cwd) {
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", 2, 2],
    shell: command === "npm" && process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}
