/** @file The TensorFlow library inside PyPI's wheel: which wheel, how it is fetched, and what is taken out of it. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, symlinkSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { TensorflowFlavour } from "../../engine/backends/tensorflow/package.js";
import { BackendError } from "../../errors.js";
import type { Installation } from "./installation.js";
import { unpackEntry, zipEntries } from "./zip-file.js";

/** A wheel whose library tfjs-node's binding is known to work with. */
interface PinnedWheel {
  readonly requirement: string;
  readonly sha256: string;
  /** What pip must be told to fetch this very file with any Python. */
  readonly tags: readonly string[];
}

/** By platform and architecture. The library does not depend on Python, so that one Python's wheel is enough. */
const PINNED: Readonly<Record<string, PinnedWheel>> = {
  "cpu-linux-x64": {
    requirement: "tensorflow-cpu==2.21.0",
    sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
    tags: [
      "--python-version",
      "3.11",
      "--implementation",
      "cp",
      "--abi",
      "cp311",
      "--platform",
      "manylinux_2_27_x86_64",
    ],
  },
};

/** A wheel on disk. */
export interface Wheel {
  readonly file: string;
  readonly name: string;
  readonly sha256: string;
}

/**
 * Fetches the pinned wheel through pip, with whatever index or mirror it is configured for.
 * @throws BackendError where there is none for this machine, pip cannot get it, or it is another file
 */
export async function fetchWheel(flavour: TensorflowFlavour, installation: Installation): Promise<Wheel> {
  const key = `${flavour}-${process.platform}-${process.arch}`;
  const pinned = PINNED[key];
  if (pinned === undefined) {
    const what = flavour === "gpu" ? "TensorFlow for GPUs" : `TensorFlow on ${process.platform}-${process.arch}`;
    throw new BackendError(
      `No wheel is pinned for ${what}. Download one of PyPI's and name it with --wheel FILE, or install tfjs-node where its own download host can be reached.`,
      { platform: key, pinned: Object.keys(PINNED) },
    );
  }
  const folder = join(installation.dir, "wheel");
  await mkdir(folder, { recursive: true });
  const args = ["download", "--no-deps", "--only-binary=:all:", "--retries", "1", "--timeout", "30", "--dest", folder];
  try {
    await installation.run(PYTHON, ["-m", "pip", ...args, ...pinned.tags, pinned.requirement]);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    throw new BackendError(
      `${error.message} Download ${pinned.requirement} elsewhere and name the file with --wheel.`,
      {
        ...error.facts,
        requirement: pinned.requirement,
      },
    );
  }
  const [name] = (await readdir(folder)).filter((file) => file.endsWith(".whl"));
  if (name === undefined) throw new BackendError("pip has downloaded no wheel.", { requirement: pinned.requirement });
  const wheel = await readWheel(join(folder, name), installation);
  if (wheel.sha256 !== pinned.sha256) {
    throw new BackendError(
      `${name} from the package index is not the file it should be: its SHA-256 is ${wheel.sha256}, not ${pinned.sha256}. If you trust it, name it with --wheel FILE.`,
      { wheel: name, sha256: wheel.sha256, expected: pinned.sha256 },
    );
  }
  return wheel;
}

const PYTHON = process.platform === "win32" ? "python" : "python3";

/** A wheel that the user names, which is not checked against a digest. */
export async function readWheel(file: string, { signal }: Installation): Promise<Wheel> {
  if (!existsSync(file)) throw new BackendError(`There is no wheel ${file}.`, { wheel: file });
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, signal === undefined ? {} : { signal }))
    hash.update(chunk as Buffer);
  return { file, name: basename(file), sha256: hash.digest("hex") };
}

const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"] as const;
const HEADERS = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/", "xla/tsl/"];

/** Names that tfjs-node's binding links against → the wheel's. */
const LINKS: Readonly<Record<string, (typeof LIBRARIES)[number]>> = {
  "libtensorflow.so": "libtensorflow_cc.so.2",
  "libtensorflow.so.2.9.1": "libtensorflow_cc.so.2",
  "libtensorflow_framework.so": "libtensorflow_framework.so.2",
  "libtensorflow_framework.so.2.9.1": "libtensorflow_framework.so.2",
};

/**
 * Puts libraries and C headers where tfjs-node builds against them: `deps` of its package.
 * @throws BackendError where the wheel has them not; DataError where it is damaged
 */
export async function unpackLibrary(wheel: Wheel, packageDir: string, installation: Installation): Promise<void> {
  if (process.platform !== "linux") {
    throw new BackendError("The library in a wheel can only be used on Linux.", { platform: process.platform });
  }
  const entries = await zipEntries(wheel.file);
  const lib = join(packageDir, "deps", "lib");
  const missing = LIBRARIES.filter((name) => !entries.some((entry) => entry.name === `tensorflow/${name}`));
  if (missing.length > 0) {
    throw new BackendError(
      `${wheel.name} has no ${missing.join(" and no ")}: it is no wheel of TensorFlow for Linux.`,
      {
        wheel: wheel.name,
        missing,
      },
    );
  }
  for (const entry of entries) {
    const library = LIBRARIES.find((name) => entry.name === `tensorflow/${name}`);
    const header = entry.name.startsWith(INCLUDE) ? entry.name.slice(INCLUDE.length) : "";
    const isWanted = !entry.name.endsWith("/") && HEADERS.some((folder) => header.startsWith(folder));
    if (library === undefined && (!isWanted || header.includes(".."))) continue;
    const target = library === undefined ? join(packageDir, "deps", "include", header) : join(lib, library);
    await unpackEntry(wheel.file, entry, target, installation.signal);
  }
  for (const [link, target] of Object.entries(LINKS)) symlinkSync(target, join(lib, link));
}

const INCLUDE = "tensorflow/include/";
