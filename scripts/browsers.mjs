// what the pages of an export and those of runs have in common, as esbuild bundles them
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Browsers that the pages are written for. */
export const browsers = ["chrome123", "firefox120", "safari17.5"];

/** @param outdir where the files go */
export const bundling = (outdir) => ({
  absWorkingDir: root,
  bundle: true,
  minify: true,
  // the licences lie beside the code, all in one file
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  outdir,
});
