// `npm start`: sets everything up, trains the example, explains one image, and says how to see the curves
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const example = join("examples", "home-security");

setUp();
cool("run", example, ...process.argv.slice(2));
const image = testImage();
process.stdout.write(`\n$ cool explain ${image} --project ${example}\n`);
cool("explain", image, "--project", example);
process.stdout.write(`
See curves and pictures with
  npx cool tensorboard --project ${example}              (add --install if you have no TensorBoard)
  tensorboard --logdir ${join(example, ".cool", "runs")}
`);

function cool(...args) {
  const { status, signal } = spawnSync(process.execPath, [join("bin", "run.js"), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

/** A picture of a person: the one whose tree has most branches. */
function testImage() {
  const [header, ...rows] = readFileSync(join(root, example, "labels.csv"), "utf8")
    .trim()
    .split("\n");
  const person = header.split(",").indexOf("person_present");
  const row = rows.find((line) => line.split(",")[person] === "1") ?? rows[0];
  return join(example, row.split(",")[0]);
}
