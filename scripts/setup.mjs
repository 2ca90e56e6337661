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
  build();
}

/** Builds where what is compiled is not what the sources say. */
export function build() {
  // the build itself leaves the stamp, whoever calls it
  if (isBuilt()) return;
  process.stderr.write("building …\n");
  npm("run", "--silent", "build");
}

/** Whether what is compiled is what the sources say. */
export function isBuilt() {
  return bears(BUILT, sources);
}

const BUILT = "dist/.built";

function sources() {
  return digest([
    ...filesUnder("src"),
    ...filesUnder("scripts"),
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
    "package-lock.json",
  ]);
}

function once(file, key, what, work) {
  if (bears(file, key)) return;
  process.stderr.write(`${what} …\n`);
  work();
  stamp(file, key);
}

function bears(file, key) {
  const path = join(root, file);
  return existsSync(path) && readFileSync(path, "utf8") === key();
}

function stamp(file, key) {
  const path = join(root, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, key());
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--built")) stamp(BUILT, sources);
  else setUp();
}
