// makes the published declarations whole: those that no entry reaches go, and what others need of packages whose own
// declarations do not compile everywhere (or that have none) is taken from types/
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const REPLACED = {
  "@tensorflow/tfjs-core": "tfjs-core",
  "@tensorflow/tfjs-layers": "tfjs-layers",
  "better-sqlite3": "better-sqlite3",
};
const SPECIFIER = /(?<=\bfrom ?"|\bimport\("|\bimport ")[^"]+(?=")/g;

/** Declarations that can be reached from the entries of the package. */
const reached = new Set();
const waiting = Object.values(exports).flatMap((entry) => (entry.types === undefined ? [] : [join(root, entry.types)]));
while (waiting.length > 0) {
  const file = waiting.pop();
  if (reached.has(file)) continue;
  reached.add(file);
  for (const [specifier] of readFileSync(file, "utf8").matchAll(SPECIFIER)) {
    if (specifier.startsWith(".")) waiting.push(join(dirname(file), specifier.replace(/\.js$/, ".d.ts")));
  }
}

cpSync(join(root, "types"), join(dist, "types"), { recursive: true });
for (const entry of readdirSync(dist, { recursive: true })) {
  const file = join(dist, entry);
  if (!file.endsWith(".d.ts") || entry.startsWith(`types${sep}`) || !existsSync(file)) continue;
  if (reached.has(file)) writeFileSync(file, withReplacements(file));
  else rmSync(file);
}

function withReplacements(file) {
  return readFileSync(file, "utf8").replaceAll(SPECIFIER, (specifier) => {
    const name = REPLACED[specifier];
    if (name === undefined) return specifier;
    const path = relative(dirname(file), join(dist, "types", `${name}.js`)).replaceAll(sep, "/");
    return path.startsWith(".") ? path : `./${path}`;
  });
}
