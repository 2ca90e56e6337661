// preloaded into a command (`--import`): appends every module that it asks for to the file LOG_IMPORTS
import { appendFileSync } from "node:fs";
import module, { register } from "node:module";

const file = process.env.LOG_IMPORTS;
register(
  `data:text/javascript,import { appendFileSync } from "node:fs";
export async function resolve(specifier, context, next) {
  appendFileSync(${JSON.stringify(file)}, specifier + "\\n");
  return next(specifier, context);
}`,
);
// what CommonJS requires
const load = module._load;
module._load = (request, ...others) => {
  appendFileSync(file, `${request}\n`);
  return load(request, ...others);
};
