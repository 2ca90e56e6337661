/** @file Finds tfjs-node's packages, and runs their kernels on the tfjs-core of this program. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import util from "node:util";
import { compileFunction } from "node:vm";
import { cacheFolder, type Environment } from "../../../platform/cache-folder.js";

type Core = typeof import("@tensorflow/tfjs-core");

/** Packages of TensorFlow's native library, by what they compute on. */
export const TENSORFLOW_PACKAGES = { gpu: "@tensorflow/tfjs-node-gpu", cpu: "@tensorflow/tfjs-node" } as const;
export type TensorflowFlavour = keyof typeof TENSORFLOW_PACKAGES;

/** An installed tfjs-node or tfjs-node-gpu. */
export interface TensorflowPackage {
  readonly flavour: TensorflowFlavour;
  readonly name: string;
  readonly version: string;
  readonly dir: string;
  /** Where it was found. */
  readonly place: "project" | "dnn-cool" | "cache";
  /** The native addon; null where the package is there without it. */
  readonly addon: string | null;
}

/** Lies beside the binding where `cool backends install` has built it: closes stderr while the library is loaded. */
export const MUTE_ADDON = "dnn_cool_mute";

/** Log level at which TensorFlow prints nothing but the reason for ending the process. */
export const QUIET = "3";

/** A tensor of the native library. */
export interface NativeTensor {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The native addon of tfjs-node, as far as it is used here. */
export interface TensorflowBinding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: readonly object[], inputs: readonly number[], outputs: number): NativeTensor[];
  loadSavedModel(dir: string, tags: string): number;
  deleteSavedModel(model: number): void;
  runSavedModel(model: number, inputs: readonly number[], inputNames: string, outputNames: string): NativeTensor[];
}

/**
 * Folder in the cache of the installation that `cool backends install` makes for this Node: an addon fits one version
 * of Node's binary interface.
 */
export function privateInstallation(flavour: TensorflowFlavour, env: Environment = process.env): string {
  const { platform, arch, versions } = process;
  return join(cacheFolder(env), "backends", `tensorflow-${flavour}-${platform}-${arch}-node${versions.modules}`);
}

/**
 * Every installation that may be loaded: the GPU's before the CPU's, the project's own first.
 * @param projectDir the user's project; undefined: there is none, and the working folder is none either
 */
export function installedPackages(projectDir?: string, env: Environment = process.env): readonly TensorflowPackage[] {
  return (["gpu", "cpu"] as const).flatMap((flavour) => {
    const places = [
      ...(projectDir === undefined ? [] : [{ place: "project", dir: projectDir } as const]),
      { place: "dnn-cool", dir: dirname(fileURLToPath(import.meta.url)) },
      { place: "cache", dir: privateInstallation(flavour, env) },
    ] as const;
    const found = places.flatMap(({ place, dir }) => packageIn(dir, flavour, place) ?? []);
    return found.filter(({ dir }, i) => found.findIndex((other) => other.dir === dir) === i);
  });
}

function packageIn(
  folder: string,
  flavour: TensorflowFlavour,
  place: TensorflowPackage["place"],
): TensorflowPackage | null {
  const name = TENSORFLOW_PACKAGES[flavour];
  // what is above the cache's folder is not of the cache
  const above = place === "cache" ? [] : (createRequire(join(folder, "_")).resolve.paths(name) ?? []);
  const manifest = [join(folder, "node_modules"), ...above]
    .map((modules) => join(modules, name, "package.json"))
    .find((file) => existsSync(file));
  if (manifest === undefined) return null;
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const dir = dirname(manifest);
  return { flavour, name, version, dir, place, addon: addonIn(dir) };
}

/** The addon for the newest Node-API that this Node has. */
function addonIn(packageDir: string): string | null {
  const lib = join(packageDir, "lib");
  if (!existsSync(lib)) return null;
  const newest = Number(process.versions.napi);
  const [latest] = readdirSync(lib)
    .flatMap((name) => /^napi-v(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((version) => version <= newest && existsSync(join(lib, `napi-v${version}`, "tfjs_binding.node")))
    .sort((a, b) => b - a);
  return latest === undefined ? null : join(lib, `napi-v${latest}`, "tfjs_binding.node");
}

/**
 * Loads the addon, and registers the package's kernels and its backend "tensorflow" in the given tfjs-core. The
 * package's own entry would bring a second tfjs-core, whose backends ours does not know, and all of tfjs.
 * @throws whatever the dynamic linker says
 */
export function loadPackage(tf: Core, dir: string, addon: string, name: string): TensorflowBinding {
  const binding = loadAddon(addon);
  const load = moduleLoader(
    new Map<string, unknown>([
      ["@tensorflow/tfjs", tf],
      ["@tensorflow/tfjs-core", tf],
      // Node 22 warns of these two functions, and Node 24 has them no more
      ["util", { ...util, isArray: Array.isArray, isNullOrUndefined: (value: unknown) => value == null }],
    ]),
  );
  load(join(dir, "dist", "register_all_kernels.js"));
  const { NodeJSKernelBackend } = load(join(dir, "dist", "nodejs_kernel_backend.js")) as {
    NodeJSKernelBackend: new (binding: TensorflowBinding, name: string) => InstanceType<Core["KernelBackend"]>;
  };
  const backend = new NodeJSKernelBackend(binding, name);
  tf.registerBackend("tensorflow", () => backend);
  return binding;
}

function loadAddon(addon: string): TensorflowBinding {
  const native = createRequire(addon);
  const mute = join(dirname(addon), `${MUTE_ADDON}.node`);
  // unless somebody wants to see it
  if (process.env.TF_CPP_MIN_LOG_LEVEL !== QUIET || !existsSync(mute)) return native(addon) as TensorflowBinding;
  const stderr = native(mute) as { mute(): void; unmute(): void };
  stderr.mute();
  try {
    return native(addon) as TensorflowBinding;
  } finally {
    stderr.unmute();
  }
}

/**
 * Runs CommonJS files of a package, with some of the modules that they require replaced. Files that they name by path
 * are run the same way; everything else is Node's.
 */
function moduleLoader(replaced: ReadonlyMap<string, unknown>): (file: string) => unknown {
  const modules = new Map<string, { exports: unknown }>();
  return function load(file: string): unknown {
    const loaded = modules.get(file);
    if (loaded !== undefined) return loaded.exports;
    const module = { exports: {} as unknown };
    modules.set(file, module);
    const native = createRequire(file);
    const require = (request: string): unknown => {
      if (replaced.has(request)) return replaced.get(request);
      return request.startsWith(".") ? load(native.resolve(request)) : native(request);
    };
    const parameters = ["exports", "require", "module", "__filename", "__dirname"];
    const body = compileFunction(readFileSync(file, "utf8"), parameters, { filename: file });
    body(module.exports, require, module, file, dirname(file));
    return module.exports;
  };
}
