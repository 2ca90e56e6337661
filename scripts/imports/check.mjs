// `node scripts/imports/check.mjs [FOLDER]`: whether the sources below a folder (default: this project's) import only
// what the table of rooms lets them
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installTool, runTool } from "../tool.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const [sources = fileURLToPath(new URL("../..", import.meta.url))] = process.argv.slice(2);
installTool(folder);
const cruiser = join(folder, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
runTool(
  process.execPath,
  [cruiser, "src", "--config", join(folder, "config.mjs"), "--output-type", "err-long"],
  sources,
);
