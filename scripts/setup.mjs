// Installs and builds what is missing or out of date; a second call finds it done. Needs nothing but Node and npm.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Brings node_modules and dist up to date. */
export function setUp() {
  // a compiled dependency fits one version of Node's binary interface
  const dependencies = () => digest(["package-lock.json"]) + process.versions.modules;
  once("node_modules/.set-up", dependencies, "installing dependencies", () => {
    // not `ci`: a lock file written on one platform may lack the binaries of another, which `install` adds
    npm("install", "--no-audit", "--no-fund");
  });
  const sources = () =>
    digest([
      ...filesUnder("src"),
      ...filesUnder("scripts"),
      "tsconfig.json",
      "tsconfig.build.json",
      "package.json",
      "package-lock.json",
    ]);
  once("dist/.built", sources, "building", () => npm("run", "--silent", "build"));
}

function once(stamp, key, what, work) {
  const file = join(root, stamp);
  if (existsSync(file) && readFileSync(file, "utf8") === key()) return;
  process.stderr.write(`${what} …\n`);
  work();
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, key());
}

function npm(...args) {
  const { status } = spawnSync("npm", args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    process.stderr.write(`npm ${args.join(" ")} failed\n`);
    process.exit(status ?? 1);
  }
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
