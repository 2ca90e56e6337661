// writes docs/api, the reference of the public TypeScript API, out of the docstrings
// TypeDoc needs a TypeScript below 7, so it lives in a folder of its own, and is installed when it is first needed.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installTool, runTool } from "../tool.mjs";

const folder = fileURLToPath(new URL("api", import.meta.url));
installTool(folder);
runTool(process.execPath, [join("node_modules", "typedoc", "bin", "typedoc"), "--logLevel", "Warn"], folder);
