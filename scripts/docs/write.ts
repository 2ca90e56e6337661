/** @file `npm run docs`: writes the pages, and the types of settings, that are made of the code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedFiles, root } from "./generated.js";

for (const { file, text } of generatedFiles()) writeFileSync(join(root, file), text);
