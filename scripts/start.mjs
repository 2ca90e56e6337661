// `npm start`: sets everything up, trains the example, explains one image, and says how to see the curves
import { spawnSync } from "node:child_process";
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
  return call(args, "inherit");
}

/** @returns what the command prints */
function call(args, stdout) {
  const {
    status,
    signal,
    stdout: printed,
  } = spawnSync(process.execPath, [join("bin", "run.js"), ...args], {
    cwd: root,
    stdio: ["inherit", stdout, "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
  return printed;
}

/** The test picture whose shirt the network knows worst: of a person, so that the tree has most branches. */
function testImage() {
  const task = "person_regression.body_regression.shirt_type";
  const args = ["interpret", "--project", example, "--split", "test", "--task", task, "--top", "1", "--json"];
  const { tasks } = JSON.parse(call(args, "pipe"));
  return join(example, tasks[0].worst[0].id);
}
