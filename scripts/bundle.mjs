// puts the command line into few files: reading the hundred modules of oclif takes half of what a short command takes
// What a module looks for beside itself is not beside the bundle: see src/package-file.ts.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licenses } from "./licenses.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const BUNDLED = ["@oclif/core", "fastest-levenshtein"];

// a command lies in the folder of its group in `cool --help`, which is no part of its name: see/tensorboard.ts is `cool tensorboard`
const commands = readdirSync(join(root, "src", "commands"), { recursive: true })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({
    in: join("src", "commands", file),
    out: join("commands", file.replace(/^[^/\\]+[/\\]/, "").replace(/\.ts$/, "")),
  }));
const programs = ["main", "command-not-found", "help"].map((name) => ({
  in: join("src", "cli", `${name}.ts`),
  out: join("cli", name),
}));

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [...programs, ...commands],
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node20.9",
  sourcemap: true,
  sourcesContent: false,
  external: Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !BUNDLED.includes(name)),
  // CommonJS that is bundled asks for Node's own modules by `require`
  banner: {
    js: `import { createRequire as createRequireOfBundle } from "node:module";
import { fileURLToPath as pathOfBundle } from "node:url";
const require = createRequireOfBundle(import.meta.url);
const __filename = pathOfBundle(import.meta.url);
const __dirname = pathOfBundle(new URL(".", import.meta.url));`,
  },
  metafile: true,
  logLevel: "warning",
});
writeFileSync(join(root, "dist", "bundle", "THIRD-PARTY-LICENSES.txt"), licenses(root, Object.keys(metafile.inputs)));
