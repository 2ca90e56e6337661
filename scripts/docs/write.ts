/** @file `npm run docs`: writes the pages, and the types of settings, that are made of the code. */
import { writeFileSync } from "node:fs";
import { generatedFiles } from "./generated.js";

for (const { file, text } of generatedFiles()) writeFileSync(file, text);
