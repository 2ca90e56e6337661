// builds what an export of the format `web` is made of besides its model: the page, its worker with TensorFlow.js, and
// what keeps them for when there is no network. `cool export` copies dist/web as it is.
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { browsers, bundling, root } from "./browsers.mjs";
import { licenses } from "./licenses.mjs";

const web = join(root, "src", "web");
const out = join(root, "dist", "web");
const WASM = "tfjs-backend-wasm-simd.wasm";

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const shared = { ...bundling(out), platform: "browser", target: browsers };
const built = await Promise.all([
  build({ ...shared, entryPoints: { app: join(web, "page", "app.ts") }, format: "esm" }),
  build({
    ...shared,
    entryPoints: { worker: join(web, "worker", "worker.ts") },
    format: "esm",
    // only browsers with a GPU load its kernels
    splitting: true,
    chunkNames: "[name]-[hash]",
    plugins: [answersAlone()],
  }),
  build({
    ...shared,
    entryPoints: { "service-worker": join(web, "offline", "service-worker.ts") },
    format: "iife",
  }),
]);
cpSync(join(web, "static"), out, { recursive: true });
const wasm = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"));
copyFileSync(join(wasm, WASM), join(out, WASM));
const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(join(out, "THIRD-PARTY-LICENSES.txt"), licenses(root, inputs));

/**
 * Leaves out what answers do not need: gradients, and the glue of WebAssembly with threads, which take headers that few
 * static servers send.
 */
function answersAlone() {
  const empty = [
    [/tfjs-core[/\\]dist[/\\]register_all_gradients\.js$/, ""],
    [/tfjs-backend-wasm-threaded-simd\.js$/, "export default null;"],
    [/tfjs-backend-wasm-threaded-simd\.worker\.js$/, 'export const wasmWorkerContents = "";'],
  ];
  return {
    name: "answers-alone",
    setup({ onLoad }) {
      for (const [filter, contents] of empty) onLoad({ filter }, () => ({ contents, loader: "js" }));
    },
  };
}
