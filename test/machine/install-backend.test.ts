/** @file `cool backends install`: what is left of an installation that fails, is stopped, or meets another one. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { privateInstallation } from "../../src/engine/backends/tensorflow/package.js";
import { BackendError, DataError, InterruptedError } from "../../src/errors.js";
import { runCommand } from "../../src/machine/backends/command.js";
import { installTensorflow } from "../../src/machine/backends/install-tensorflow.js";
import { installInto } from "../../src/machine/backends/installation.js";
import { unpackEntry, zipEntries } from "../../src/machine/backends/zip-file.js";
import { currentProcess } from "../../src/platform/process.js";
import { missingProgram, needs } from "../support/needs.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-install-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const WINDOWS = process.platform === "win32";
const withoutPython = missingProgram("python3");

/** Python's zipfile writes the archive, which knows nothing of ours. */
function zip(file: string, contents: Readonly<Record<string, string>>): void {
  const code = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for name, text in json.loads(sys.argv[2]).items():
        how = zipfile.ZIP_STORED if "stored" in name else zipfile.ZIP_DEFLATED
        archive.writestr(name, text, how)`;
  execFileSync("python3", ["-c", code, file, JSON.stringify(contents)]);
}

describe("zip archives", () => {
  needs(withoutPython);

  const contents = { "a/packed.txt": "0123456789".repeat(1e4), "stored.txt": "as it is", "empty.txt": "" };

  test("give back what another program packed", async () => {
    const archive = join(folder, "x.zip");
    zip(archive, contents);
    const entries = await zipEntries(archive);
    expect(entries.map(({ name, bytes }) => [name, bytes])).toEqual(
      Object.entries(contents).map(([name, text]) => [name, text.length]),
    );
    for (const entry of entries) {
      const target = join(folder, "out", entry.name);
      await unpackEntry(archive, entry, target);
      expect(readFileSync(target, "utf8")).toBe(contents[entry.name as keyof typeof contents]);
    }
  });

  test("that are cut short, or none, are named", async () => {
    const archive = join(folder, "x.zip");
    zip(archive, contents);
    const whole = readFileSync(archive);
    const entries = await zipEntries(archive);
    writeFileSync(archive, whole.subarray(0, whole.length - 60));
    await expect(zipEntries(archive)).rejects.toThrow(DataError);
    whole.fill(0xff, 60, 90);
    writeFileSync(archive, whole);
    const damaged = unpackEntry(archive, entries[0] as (typeof entries)[number], join(folder, "out"));
    await expect(damaged).rejects.toThrow(/x\.zip cannot be read: a\/packed\.txt/);
    writeFileSync(archive, "text");
    await expect(zipEntries(archive)).rejects.toThrow(/no zip archive/);
  });
});

describe("an installation", () => {
  const target = () => join(folder, "backends", "it");
  const options = (signal?: AbortSignal) => ({ signal, log: () => {}, logFile: join(folder, "kept.log") });
  const left = () => readdirSync(join(folder, "backends"));

  test("takes its place as a whole, and that of an older one", async () => {
    await installInto(target(), options(), async ({ dir }) => writeFileSync(join(dir, "a"), "1"));
    await installInto(target(), options(), async ({ dir }) => writeFileSync(join(dir, "b"), "2"));
    expect(left()).toEqual(["it"]);
    expect(readdirSync(target())).toEqual(["b"]);
  });

  test("that fails leaves what was there, and the output of its programs", async () => {
    await installInto(target(), options(), async ({ dir }) => writeFileSync(join(dir, "a"), "1"));
    const failing = installInto(target(), options(), async ({ dir, run }) => {
      writeFileSync(join(dir, "b"), "2");
      await run(process.execPath, ["-e", "console.error('Error: it is too dark.'); process.exit(3)"]);
    });
    await expect(failing).rejects.toThrow(/ended with 3: Error: it is too dark\.$/);
    expect(left()).toEqual(["it"]);
    expect(readdirSync(target())).toEqual(["a"]);
    expect(readFileSync(join(folder, "kept.log"), "utf8")).toContain("it is too dark");
  });

  test("that is stopped leaves nothing", async () => {
    const stop = new AbortController();
    const installing = installInto(target(), options(stop.signal), async ({ dir, run }) => {
      writeFileSync(join(dir, "b"), "2");
      setTimeout(() => stop.abort(), 50);
      await run(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    });
    await expect(installing).rejects.toThrow(InterruptedError);
    expect(left()).toEqual([]);
  });

  test("waits for no other one, unless that one's process has gone", async () => {
    await installInto(target(), options(), async () => {
      await expect(installInto(target(), options(), async () => {})).rejects.toThrow(
        new RegExp(`Another process \\(${process.pid} on `),
      );
    });
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    const lock = join(folder, "backends", ".lock-it");
    writeFileSync(lock, JSON.stringify({ ...currentProcess(), pid: gone }));
    mkdirSync(join(folder, "backends", ".installing-it", "half"), { recursive: true });
    await installInto(target(), options(), async ({ dir }) => writeFileSync(join(dir, "a"), "1"));
    expect(left()).toEqual(["it"]);
    expect(readdirSync(target())).toEqual(["a"]);
  });

  test.skipIf(WINDOWS)("ends the programs that its programs have started", async () => {
    const stop = new AbortController();
    const mark = join(folder, "alive");
    const script = `(while true; do date +%s%N > "${mark}"; sleep 0.02; done) & wait`;
    const running = runCommand("sh", ["-c", script], {
      cwd: folder,
      logFile: join(folder, "log"),
      signal: stop.signal,
    });
    while (!existsSync(mark)) await sleep(10);
    stop.abort();
    await expect(running).rejects.toThrow(InterruptedError);
    await sleep(100);
    const last = readFileSync(mark, "utf8");
    await sleep(200);
    expect(readFileSync(mark, "utf8")).toBe(last);
  });

  test("that needs a program which is not there names it", async () => {
    const running = runCommand("no-such-program", [], { cwd: folder, logFile: join(folder, "log") });
    await expect(running).rejects.toThrow(/There is no no-such-program on this machine/);
  });
});

describe("installing tensorflow", () => {
  needs(WINDOWS ? "the false programs are shell scripts" : withoutPython);

  const log: string[] = [];
  const install = (more: Partial<Parameters<typeof installTensorflow>[0]> = {}) =>
    installTensorflow({ flavour: "cpu", log: (line) => log.push(line), ...more });

  /** A program of this name comes before all others. */
  function fake(name: string, script: string): void {
    const file = join(folder, "bin", name);
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  beforeEach(() => {
    log.length = 0;
    vi.stubEnv("DNN_COOL_CACHE", join(folder, "cache"));
    vi.stubEnv("PATH", `${join(folder, "bin")}${delimiter}${process.env.PATH}`);
    for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]) vi.stubEnv(name, "");
    // a port of this machine that nothing listens on
    vi.stubEnv("TFJS_NODE_CDN_STORAGE", "http://127.0.0.1:9/");
    fake("npm", "mkdir -p node_modules/@tensorflow/tfjs-node node_modules/@tensorflow/tfjs-node-gpu");
  });

  test("fetches the wheel where the package's host cannot be reached, and takes no other than the pinned one", async () => {
    fake(
      "python3",
      'for last; do :; done; while [ "$1" != --dest ]; do shift; done; echo other > "$2/tensorflow_cpu.whl"',
    );
    const installing = install();
    await expect(installing).rejects.toThrow(BackendError);
    await expect(installing).rejects.toThrow(/tensorflow_cpu\.whl from the package index is not the file it should be/);
    expect(log).toContainEqual(
      expect.stringMatching(/127\.0\.0\.1:9\/ cannot be reached; taking the library of PyPI's wheel/),
    );
    expect(readdirSync(join(folder, "cache", "backends")).filter((name) => !name.endsWith(".log"))).toEqual([]);
  });

  test("says what pip said where the index cannot be reached either", async () => {
    fake("python3", 'echo "ERROR: No matching distribution found for tensorflow-cpu==2.21.0" >&2; exit 1');
    await expect(install()).rejects.toThrow(
      /pip.* ended with 1: ERROR: No matching distribution found.*name the file with --wheel/,
    );
  });

  test("refuses a wheel without the library", async () => {
    const wheel = join(folder, "other.whl");
    zip(wheel, { "tensorflow/__init__.py": "" });
    await expect(install({ wheel })).rejects.toThrow(
      /other\.whl has no libtensorflow_cc\.so\.2 and no libtensorflow_fr/,
    );
    await expect(install({ wheel: join(folder, "none.whl") })).rejects.toThrow(/There is no wheel .*none\.whl/);
  });

  test("for GPUs asks for a wheel, since none is pinned", async () => {
    await expect(install({ flavour: "gpu" })).rejects.toThrow(
      /No wheel is pinned for TensorFlow for GPUs.*--wheel FILE/,
    );
  });

  test("undoes everything where the binding does not build", async () => {
    const wheel = join(folder, "tensorflow.whl");
    zip(wheel, {
      "tensorflow/libtensorflow_cc.so.2": "cc",
      "tensorflow/libtensorflow_framework.so.2": "framework",
      "tensorflow/include/tensorflow/c/c_api.h": "// header",
      "tensorflow/include/Eigen/Core": "// not needed",
    });
    const packageDir = "node_modules/@tensorflow/tfjs-node";
    fake(
      "npm",
      `case "$1" in
        install) mkdir -p ${packageDir}/binding && echo "{}" > ${packageDir}/binding.gyp ;;
        *) ls -R deps; echo "binding.cc:1: fatal error: no such thing"; exit 1 ;;
      esac`,
    );
    const installing = install({ wheel });
    await expect(installing).rejects.toThrow(/npm run build-addon-from-source ended with 1: .*fatal error/);
    const kept = readFileSync(join(folder, "cache", "backends", "install-tensorflow-cpu.log"), "utf8");
    for (const name of ["c_api.h", "libtensorflow.so", "libtensorflow_framework.so.2"]) expect(kept).toContain(name);
    expect(kept).not.toContain("Eigen");
    expect(existsSync(privateInstallation("cpu"))).toBe(false);
  });

  test("names a cache folder that cannot be written", async () => {
    vi.stubEnv("DNN_COOL_CACHE", join(folder, "file"));
    writeFileSync(join(folder, "file"), "");
    const installing = install();
    await expect(installing).rejects.toThrow(BackendError);
    await expect(installing).rejects.toThrow(/file\/backends cannot be written: ENOTDIR/);
  });

  test("finds a finished one done", async () => {
    const record = { backend: "tensorflow", package: "@tensorflow/tfjs-node", tensorflow: "2.21.0" };
    mkdirSync(privateInstallation("cpu"), { recursive: true });
    writeFileSync(join(privateInstallation("cpu"), "install.json"), JSON.stringify(record));
    expect(await install()).toMatchObject({ ...record, changed: false, dir: privateInstallation("cpu") });
    expect(log).toEqual([]);
  });
});
