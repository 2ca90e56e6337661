/** @file Whether pictures can be changed as data.augment says, given what the tasks ask of them. */
import { movesPictures, warpsPictures } from "../data/augment.js";
import { mixingsOf } from "../data/augmentation/mixing.js";
import type { InputSpec } from "../data/dataset.js";
import { figuresOf, turns } from "../data/labels/augment-labels.js";
import { ConfigError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf } from "../tasks/index.js";
import type { Settings } from "./settings.js";

type Inputs = Readonly<Record<string, InputSpec>>;

/** @throws ConfigError where labels would no longer be those of the changed pictures, or there are none */
export function checkAugmentation(inputs: Inputs, graph: FlowGraph, settings: Settings, where: string): void {
  checkInputs(inputs, settings, where);
  checkMeasures(graph, settings, where);
  checkFigures(graph, settings, where);
  checkMixing(inputs, graph, settings, where);
}

function checkInputs(inputs: Inputs, { data }: Settings, where: string): void {
  if (data.augment === null || Object.values(inputs).some(({ kind }) => kind === "image")) return;
  throw new ConfigError(
    `${where}: data.augment changes pictures, but there is no image input. Remove it, or add an image input.`,
    { file: where, keys: ["data.augment"] },
  );
}

/** Labels in parts of the picture that do not say what they measure would stay where they are while it moves. */
function checkMeasures({ tasks }: FlowGraph, { data: { augment } }: Settings, where: string): void {
  if (augment === null) return;
  const silent = tasks.flatMap(({ spec, path }) => (behaviourOf(spec).onPicture(spec) === "unsaid" ? [path] : []));
  if (!movesPictures(augment) || silent.length === 0) return;
  const named = silent.map((path) => `"${path}"`).join(", ");
  throw new ConfigError(
    `${where}: data.augment moves pictures, but ${named}, scaled by the picture's size, ${silent.length === 1 ? "does" : "do"} not say how the labels move with them. Add measures: "x", "y", "width" or "height", or measures: "none" where they do not.`,
    { file: where, keys: ["data.augment"], tasks: silent },
  );
}

/** Two pictures that are one have one value of everything else, and labels only where these are shared. */
function checkMixing(inputs: Inputs, { tasks }: FlowGraph, { data: { augment } }: Settings, where: string): void {
  if (augment === null) return;
  const mixings = mixingsOf(augment);
  const named = mixings.map((mixing) => `data.augment.${mixing}`).join(" and ");
  const { mixShare } = augment;
  if (mixings.length === 0) {
    if (mixShare === 1) return;
    throw new ConfigError(
      `${where}: data.augment.mixShare says how many batches are mixed, but neither data.augment.mixup nor data.augment.cutmix is set. Set one of them, or leave it out.`,
      { file: where, keys: ["data.augment.mixShare"] },
    );
  }
  const others = Object.entries(inputs).filter(([, { kind }]) => kind !== "image");
  if (others.length > 0) {
    const [[name, { kind }]] = others as [(typeof others)[number]];
    throw new ConfigError(
      `${where}: ${named} ${mixings.length === 1 ? "makes" : "make"} one picture of two, but the input "${name}" (${kind}) has no value that belongs to both. Leave out ${named}, or the inputs that are no pictures.`,
      { file: where, keys: mixings.map((mixing) => `data.augment.${mixing}`), inputs: others.map(([input]) => input) },
    );
  }
  const unmixed = tasks.filter(
    ({ spec }) => !mixings.some((mixing) => behaviourOf(spec).mixedBy(spec).includes(mixing)),
  );
  if (mixShare < 1 || unmixed.length === 0) return;
  const paths = unmixed.map(({ path }) => path);
  throw new ConfigError(
    `${where}: ${named} ${mixings.length === 1 ? "mixes" : "mix"} every batch, so that ${paths.map((path) => `"${path}"`).join(", ")} would never learn: ${paths.length === 1 ? "its labels are" : "their labels are"} of one picture alone. Set data.augment.mixShare, e.g. to 0.5: what is not mixed teaches ${paths.length === 1 ? "it" : "them"}.`,
    { file: where, keys: ["data.augment.mixShare"], tasks: paths },
  );
}

/** A picture that turns moves what is on it along both axes at once. */
function checkFigures(graph: FlowGraph, { data: { augment } }: Settings, where: string): void {
  if (augment === null || !warpsPictures(augment)) return;
  const halves = figuresOf(graph).filter((figure) => !turns(figure));
  const tasks = halves.flatMap(({ horizontal, vertical }) =>
    [horizontal.place, horizontal.extent, vertical.place, vertical.extent].flatMap((task) => task?.path ?? []),
  );
  if (tasks.length === 0) return;
  throw new ConfigError(
    `${where}: data.augment turns or bends pictures, and where ${tasks.map((path) => `"${path}"`).join(", ")} would go hangs on both axes. Give the flow tasks for x and y (of a box also for width and height), measure nothing with them (measures: "none"), or leave out data.augment.rotate and data.augment.perspective.`,
    { file: where, keys: ["data.augment"], tasks },
  );
}
