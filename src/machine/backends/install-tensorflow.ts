/** @file `cool backends install tensorflow`: tfjs-node in a cache of our own, however its library can be had. */
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { at } from "../../arrays.js";
import {
  privateInstallation,
  TENSORFLOW_PACKAGES,
  type TensorflowFlavour,
} from "../../engine/backends/tensorflow/package.js";
import { entryPoint } from "../../platform/entry-point.js";
import { BackendError, CoolError, InterruptedError } from "../../errors.js";
import { type Installation, installInto, keepOnly, trialCache } from "./installation.js";
import { addMuteAddon } from "./mute-addon.js";
import type { Proof } from "./prove-tensorflow.js";
import { fetchWheel, readWheel, unpackLibrary, type Wheel } from "./tensorflow-wheel.js";

export interface InstallOptions {
  readonly flavour: TensorflowFlavour;
  /** A wheel of TensorFlow to take the library from, instead of any download. */
  readonly wheel?: string | undefined;
  /** Installs again what is there. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
}

/** What is kept beside an installation, as `install.json`. */
export interface InstallRecord {
  readonly backend: "tensorflow";
  readonly package: string;
  readonly version: string;
  /** Version of the TensorFlow library. */
  readonly tensorflow: string;
  /** Where the library came from: `installer`, the package's own download, or the name of a wheel. */
  readonly source: string;
  /** Of the wheel; null where the package's installer was used. */
  readonly sha256: string | null;
  readonly node: string;
  readonly installed_at: string;
}

export interface InstallResult extends InstallRecord {
  readonly dir: string;
  /** False where it was there before. */
  readonly changed: boolean;
}

/** The release whose sources build against the pinned wheel. */
const PACKAGE_VERSION = "4.22.0";
const RECORD = "install.json";

/** The record of an installation that `installTensorflow` made for this Node; null where there is none. */
export function readInstallRecord(dir: string): InstallRecord | null {
  const file = join(dir, RECORD);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as InstallRecord) : null;
}

/**
 * First the package's own installer; where its download host cannot be reached, the library of PyPI's wheel, against
 * which the binding is built. A training step proves the result before it takes its place.
 * @throws BackendError with the step that failed, and nothing changed; InterruptedError
 */
export async function installTensorflow(options: InstallOptions): Promise<InstallResult> {
  const { flavour, force = false, signal, log } = options;
  const dir = privateInstallation(flavour);
  const present = readInstallRecord(dir);
  if (present !== null && !force) return { ...present, dir, changed: false };
  const logFile = join(dirname(dir), `install-tensorflow-${flavour}.log`);
  try {
    await installInto(dir, { signal, log, logFile }, (installation) => fill(installation, options));
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    const { message, code } = error as NodeJS.ErrnoException;
    const isExpected = error instanceof CoolError;
    // a full disk, a folder that may not be written to
    if (!isExpected && code === undefined) throw error;
    const said = isExpected ? message : `${dirname(dir)} cannot be written: ${message}.`;
    const kept = existsSync(logFile) ? ` The whole output is in ${logFile}.` : "";
    const facts = isExpected ? error.facts : { code };
    throw new BackendError(`${said}${kept}`, { ...facts, log: logFile }, { cause: error });
  }
  return { ...(readInstallRecord(dir) as InstallRecord), dir, changed: true };
}

async function fill(installation: Installation, { flavour, wheel }: InstallOptions): Promise<void> {
  const { dir, log } = installation;
  const name = TENSORFLOW_PACKAGES[flavour];
  const packageDir = join(dir, "node_modules", name);
  log(`1/4 fetching ${name} ${PACKAGE_VERSION} from npm`);
  writeFileSync(join(dir, "package.json"), JSON.stringify({ private: true }));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  await installation.run("npm", ["install", ...quiet, `${name}@${PACKAGE_VERSION}`]);

  const origin = await getLibrary(installation, packageDir, flavour, wheel);

  log("4/4 training a step as a proof");
  keepOnly(join(dir, "node_modules"), ["@tensorflow", "google-protobuf"]);
  keepOnly(join(dir, "node_modules", "@tensorflow"), [at(name.split("/"), 1)]);
  rmSync(join(packageDir, "build"), { recursive: true, force: true });
  rmSync(join(dir, "wheel"), { recursive: true, force: true });
  const proof = await prove(installation);
  const record: InstallRecord = {
    backend: "tensorflow",
    package: name,
    version: PACKAGE_VERSION,
    tensorflow: proof.tensorflow,
    source: origin?.name ?? "installer",
    sha256: origin?.sha256 ?? null,
    node: process.versions.node,
    installed_at: new Date().toISOString(),
  };
  writeFileSync(join(dir, RECORD), `${JSON.stringify(record, null, 2)}\n`);
}

/** @returns the wheel that the library is from; null where the package's installer got it */
async function getLibrary(
  installation: Installation,
  packageDir: string,
  flavour: TensorflowFlavour,
  given: string | undefined,
): Promise<Wheel | null> {
  const { log } = installation;
  if (given === undefined) {
    const obstacle = await ownInstaller(installation, packageDir);
    if (obstacle === null) return null;
    log(`    ${obstacle}; taking the library of PyPI's wheel instead`);
  }
  log(given === undefined ? "2/4 fetching TensorFlow's wheel with pip" : `2/4 reading ${given}`);
  const wheel = await (given === undefined
    ? fetchWheel(flavour, installation)
    : readWheel(resolve(given), installation));
  log(`    unpacking the library of ${wheel.name}`);
  rmSync(join(packageDir, "deps"), { recursive: true, force: true });
  await unpackLibrary(wheel, packageDir, installation);
  log("3/4 building the binding");
  addMuteAddon(packageDir);
  await installation.run("npm", ["run", "build-addon-from-source"], { cwd: packageDir, env: buildEnvironment() });
  return wheel;
}

/** @returns why it cannot be used; null where it has done its work */
async function ownInstaller(installation: Installation, packageDir: string): Promise<string | null> {
  const { log, signal } = installation;
  log("2/4 downloading the library with the package's own installer");
  const obstacle = await unreachable(signal);
  if (obstacle !== null) return obstacle;
  try {
    await installation.run("npm", ["run", "install"], { cwd: packageDir, env: buildEnvironment() });
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return `it fails (${error.message})`;
  }
  log("3/4 the package's installer has its binding");
  return existsSync(join(packageDir, "lib")) ? null : "it has made no binding";
}

const DOWNLOAD_HOST = "https://storage.googleapis.com/";
const PROBE_MS = 5000;

/** Asks the host that the package's installer downloads from, which would wait for minutes. */
async function unreachable(signal: AbortSignal | undefined): Promise<string | null> {
  const { env } = process;
  // the installer goes through a proxy, which fetch does not
  if ([env.HTTPS_PROXY, env.https_proxy, env.HTTP_PROXY, env.http_proxy].some((proxy) => proxy)) return null;
  const host = env.TFJS_NODE_CDN_STORAGE ?? env.npm_config_TFJS_NODE_CDN_STORAGE ?? env.CDN_STORAGE ?? DOWNLOAD_HOST;
  try {
    const timeout = AbortSignal.timeout(PROBE_MS);
    await fetch(host, { method: "HEAD", signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
    return null;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return `${host} cannot be reached`;
  }
}

/** npm brings node-gyp and the package's tools; both must build for the Node that runs this. */
function buildEnvironment(): Readonly<Record<string, string>> {
  return { ...(nodeInPath() === process.execPath ? {} : { PATH: withOwnNode() }), ...nodeHeaders() };
}

function nodeInPath(): string | undefined {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const found = pathFolders()
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  return found === undefined ? undefined : realpathSync(found);
}

function withOwnNode(): string {
  return [dirname(process.execPath), ...pathFolders()].join(delimiter);
}

function pathFolders(): string[] {
  return (process.env.PATH ?? process.env.Path ?? "").split(delimiter).filter((folder) => folder !== "");
}

/** node-gyp downloads the headers of Node, unless it is told where they are; most installations have them. */
function nodeHeaders(): Readonly<Record<string, string>> {
  if (process.env.npm_config_nodedir !== undefined) return {};
  const root = dirname(dirname(process.execPath));
  return existsSync(join(root, "include", "node", "node_api.h")) ? { npm_config_nodedir: root } : {};
}

/** In a process of its own, which may crash. */
async function prove(installation: Installation): Promise<Proof> {
  const { script, args } = entryPoint("machine/backends/prove-tensorflow");
  const output = await installation.run(process.execPath, [script, ...args], {
    env: { DNN_COOL_CACHE: trialCache(installation) },
    timeoutMs: PROOF_MS,
  });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Proof;
}

const PROOF_MS = 120_000;
