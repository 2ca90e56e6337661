// writes docs/api, the reference of the public TypeScript API, out of the docstrings
// TypeDoc needs a TypeScript below 7, so it lives in a folder of its own, and is installed when it is first needed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("api", import.meta.url));
const stamp = join(folder, "node_modules", ".installed");
const lock = createHash("sha256")
  .update(readFileSync(join(folder, "package-lock.json")))
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  run("npm", ["ci", "--no-audit", "--no-fund", "--silent"]);
  writeFileSync(stamp, lock);
}
run(process.execPath, [join("node_modules", "typedoc", "bin", "typedoc"), "--logLevel", "Warn"]);

function run(command, args) {
  const { status } = spawnSync(command, args, {
    cwd: folder,
    // what is printed is progress: `npm pack --json` has stdout to itself
    stdio: ["ignore", 2, 2],
    shell: command === "npm" && process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}
