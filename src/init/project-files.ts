/** @file The files of a new project, and writing them without harm to what is there. */
import { access, constants, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { DataError, UsageError } from "../errors.js";
import { packageVersion } from "../platform/version.js";
import { assertRunnable, CONFIG_FILES } from "../project/project-dir.js";

/** A file to write, by its path relative to the project. */
export interface NewFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** What happens where it exists and `force` is not set: that is an error, or it stays. */
  readonly where: "refuse" | "keep";
  /** What becomes of it with `force`, if it is not replaced; null: it stays. */
  readonly complete?: (old: string, force: boolean) => string | null;
}

/** What became of a file. */
export interface WrittenFile {
  readonly path: string;
  readonly action: "written" | "replaced" | "completed" | "kept";
}

/** As a configuration names a file: relative, unless it lies elsewhere and was typed from the root. */
export function configPath(file: string, typed: string, projectDir: string): string {
  const way = relative(resolve(projectDir), file);
  const isOutside = way.startsWith("..") || isAbsolute(way);
  return isOutside && isAbsolute(typed) ? file : way.split(sep).join("/");
}

/** The files beside the configuration. */
export function frameFiles(projectDir: string): NewFile[] {
  return [
    {
      ...{ path: "package.json", content: json(packageJson(projectDir)), where: "keep" },
      complete: (old, force) => completePackage(old, projectDir, force),
    },
    { path: "tsconfig.json", content: json(TSCONFIG), where: "keep" },
    {
      ...{ path: ".gitignore", content: `${IGNORED.join("\n")}\n`, where: "keep" },
      complete: (old, force) => (force ? completeIgnored(old) : null),
    },
  ];
}

/** What git is not to keep: packages, and the store with its runs. */
const IGNORED = ["node_modules/", ".cool/"];

const TSCONFIG = {
  compilerOptions: {
    ...{ target: "es2022", module: "nodenext", types: [] },
    ...{ strict: true, noEmit: true, skipLibCheck: true },
  },
  include: ["cool.config.ts"],
};

function packageJson(projectDir: string): Readonly<Record<string, unknown>> {
  return {
    name: packageName(projectDir),
    version: "0.0.0",
    private: true,
    type: "module",
    scripts: { check: "cool check", train: "cool run" },
    dependencies: { "dnn-cool": `^${packageVersion()}` },
  };
}

/** A name that npm takes. */
function packageName(projectDir: string): string {
  const plain = projectName(projectDir).normalize("NFKD").toLowerCase();
  return (
    plain
      .replaceAll(/[^a-z0-9-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 100) || "project"
  );
}

/** What the project is called: its folder's name. */
export function projectName(projectDir: string): string {
  return basename(resolve(projectDir)) || "project";
}

/** Keys of a package.json that `npm install` has made. */
const INSTALLED = new Set(["dependencies", "devDependencies", "allowScripts"]);

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Says what writing would do, before anything is written.
 * @throws UsageError if a file that may not be replaced is there, and `force` is not set, or the folder is a run store;
 *   DataError if the folder cannot be written to
 */
export async function assertWritable(
  projectDir: string,
  files: readonly NewFile[],
  { force }: { readonly force: boolean },
): Promise<void> {
  assertRunnable(join(projectDir, CONFIG_FILES[0] ?? ""));
  const dir = await nearestFolder(projectDir);
  await access(dir, constants.W_OK).catch((cause: unknown) => {
    throw new DataError(
      `The folder ${dir} cannot be written to. Go to another one, or name it with --project.`,
      { dir },
      { cause },
    );
  });
  if (force) return;
  const taken = [];
  const refused = [...CONFIG_FILES, ...files.filter(({ where }) => where === "refuse").map(({ path }) => path)];
  for (const path of new Set(refused)) if (await exists(join(projectDir, path))) taken.push(path);
  const [first] = taken;
  if (first === undefined) return;
  const others =
    taken.length === 1 ? "" : taken.length === 2 ? ` and ${taken[1]}` : ` and ${taken.length - 1} more files`;
  throw new UsageError(
    `${join(projectDir, first)}${others} ${taken.length === 1 ? "is" : "are"} there already. Replace with --force, or name another folder with --project.`,
    { dir: projectDir, files: taken },
  );
}

async function nearestFolder(dir: string): Promise<string> {
  const found = await stat(dir).catch(() => null);
  if (found?.isDirectory()) return dir;
  if (found !== null) throw new UsageError(`${dir} is not a folder. Name a folder with --project.`, { dir });
  return nearestFolder(dirname(resolve(dir)));
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** `wrote a, b/; kept c`: a folder stands for what is in it. */
export function filesInWords(files: readonly WrittenFile[]): string {
  const words = { written: "wrote", replaced: "replaced", completed: "completed", kept: "kept" } as const;
  return ACTIONS.flatMap((action) => {
    const own = files.filter((file) => file.action === action).map(({ path }) => path.replace(/\/.*$/, "/"));
    return own.length === 0 ? [] : [`${words[action]} ${[...new Set(own)].join(", ")}`];
  }).join("; ");
}

const ACTIONS = ["written", "replaced", "completed", "kept"] as const;

/** What files that were kept lack. */
export async function adviceOn(projectDir: string, files: readonly WrittenFile[]): Promise<string[]> {
  const advice: string[] = [];
  for (const { path, complete } of frameFiles(projectDir)) {
    if (complete === undefined || !files.some((file) => file.path === path && file.action === "kept")) continue;
    const old = await readFile(join(projectDir, path), "utf8");
    const completed = complete(old, true);
    if (completed !== null && completed !== old) advice.push(`${path} was kept; ${WANTED[path] ?? ""}`);
  }
  return advice;
}

const WANTED: Readonly<Record<string, string>> = {
  "package.json": 'a project has "type": "module" in it, and dnn-cool among its dependencies',
  ".gitignore": "a project's names node_modules/ and .cool/",
};

/** Writes the files, in their order; `assertWritable` has said that it may. */
export async function writeFiles(
  projectDir: string,
  files: readonly NewFile[],
  { force }: { readonly force: boolean },
): Promise<WrittenFile[]> {
  const written: WrittenFile[] = [];
  for (const file of files) {
    try {
      written.push({ path: file.path, action: await writeOne(projectDir, file, force) });
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause)) throw cause;
      throw new DataError(
        `${join(projectDir, file.path)} cannot be written: ${cause.message}.`,
        { file: join(projectDir, file.path) },
        { cause },
      );
    }
  }
  return written;
}

async function writeOne(projectDir: string, file: NewFile, force: boolean): Promise<WrittenFile["action"]> {
  const path = join(projectDir, file.path);
  const isThere = await exists(path);
  if (isThere && file.complete !== undefined) {
    const old = await readFile(path, "utf8");
    const completed = file.complete(old, force);
    if (completed === null || completed === old) return "kept";
    await writeFile(path, completed);
    return "completed";
  }
  if (isThere && file.where === "keep" && !force) return "kept";
  await mkdir(dirname(path), { recursive: true });
  // another process may have made it since it was looked for
  await writeFile(path, file.content, { flag: force ? "w" : "wx" });
  return isThere ? "replaced" : "written";
}

/**
 * Adds what it lacks. Without `force` only to one that npm has made by installing: any other is a project already, which
 * may not be of modules.
 * @returns null where it stays as it is
 */
function completePackage(text: string, projectDir: string, force: boolean): string | null {
  const old = objectIn(text);
  if (old === null || !(force || Object.keys(old).every((name) => INSTALLED.has(name)))) return null;
  const { type, dependencies } = packageJson(projectDir);
  const own = objectOf(old.dependencies);
  const has =
    [own, objectOf(old.devDependencies)].some((packages) => "dnn-cool" in packages) || old.name === "dnn-cool";
  const added = { ...old, ...(old.type === undefined ? { type } : {}) };
  return json(has ? added : { ...added, dependencies: { ...own, ...objectOf(dependencies) } });
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? objectOf(parsed) : null;
  } catch {
    return null;
  }
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

function completeIgnored(text: string): string {
  const lines = new Set(text.split(/\r?\n/).map((line) => line.trim().replaceAll(/^\/|\/$/g, "")));
  const missing = IGNORED.filter((line) => !lines.has(line.replace(/\/$/, "")));
  if (missing.length === 0) return text;
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${missing.join("\n")}\n`;
}
