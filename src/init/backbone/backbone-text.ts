/** @file A backbone as code of a configuration: the trunk of a project that begins with it. */
import { key, member, quoted } from "../identifiers.js";
import type { ProposedInput, ProposedTask } from "../proposal.js";
import type { Backbone } from "./read-backbone.js";

/** Features that tasks read: what is on the picture, and also where. */
const [WHAT, WHERE] = ["features", "places"];
/** The map of the picture's size that masks read. */
const PIXELS = "pixels";

/** Whether the answer is a place on the picture, which pooled features have lost. */
function isPlace({ figure, place }: ProposedTask): boolean {
  return figure !== null || place !== null;
}

/** Names of the features of the trunk. */
export function featuresOf(backbone: Backbone | null, tasks: readonly ProposedTask[]): string[] {
  const [isWhere, isWhat] = [tasks.some(isPlace), tasks.some((task) => !task.isKnown && !isPlace(task))];
  if (backbone === null) {
    const isAsked = tasks.some((task) => !task.isKnown && task.role.isMask !== true);
    const hasMasks = tasks.some(({ role }) => role.isMask === true);
    return [...(isAsked || !hasMasks ? [WHAT] : []), ...(hasMasks ? [PIXELS] : [])];
  }
  return [...(isWhat ? [WHAT] : []), ...(isWhere ? [WHERE] : [])];
}

/** The feature that a task reads. */
export function featureOf(backbone: Backbone | null, task: ProposedTask): string {
  if (task.role.isMask === true) return PIXELS;
  return backbone !== null && isPlace(task) ? WHERE : WHAT;
}

/**
 * @param head `trunk: ({ image }, layers) =>`
 * @param features names of the features
 * @param others code of what the other inputs give
 */
export function backboneTrunk(
  { model, output, input }: Backbone,
  image: ProposedInput,
  head: string,
  features: readonly string[],
  others: readonly string[],
): string {
  const options = [
    `model: ${quoted(model)}, // its layers are frozen, and computed once per picture`,
    `output: ${quoted(output)}, // the last layer that knows places`,
    ...(input === null ? [] : [`input: ${input}, // what it was trained to see`]),
  ];
  const pooled = "mapFeatures()(map, layers)";
  const what =
    others.length === 0
      ? pooled
      : `mlp({ units: [64] })(concatenate([${[pooled, ...others].join(", ")}], layers), layers)`;
  const code: Readonly<Record<string, string>> = {
    [WHAT]: `${what}, // what is there, wherever it is`,
    [WHERE]: `mapFeatures({ pool: "flatten" })(map, layers), // also where it is`,
  };
  return `${head} {
    const map = pretrained({
${options.map((option) => `      ${option}`).join("\n")}
    })(${image.name}, layers);
    return {
${features.map((name) => `      ${key(name)}: ${code[name] ?? ""}`).join("\n")}
    };
  },`;
}

/** The heads alone train, on cached features, so that many epochs take little. */
export const BACKBONE_EPOCHS = "epochs: 60";
export const BACKBONE_STOP = "earlyStopping: { patience: 10 }";

/** What uses a feature: `x.features`. */
export const featureUse = (name: string): string => member("x", name);
