/** @file A proposal → the text of cool.config.ts. */
import { printableLine } from "../platform/printable.js";
import {
  BACKBONE_EPOCHS,
  BACKBONE_STOP,
  backboneTrunk,
  featureOf,
  featuresOf,
  featureUse,
} from "./backbone/backbone-text.js";
import { conditionCode } from "./conditions.js";
import type { Figure } from "./figures.js";
import { key, list, member, quoted } from "./identifiers.js";
import { boundsOf, type Place } from "./places.js";
import type { Proposal, ProposedInput, ProposedTask } from "./proposal.js";
import type { TaskRole } from "./task-role.js";
import { UNKNOWN } from "./vocabulary.js";

const WIDTH = 110;

/** The whole configuration, formatted. */
export function configText(name: string, proposal: Proposal): string {
  const flow = flowName(proposal);
  const parts = [
    tasksText(proposal, flow),
    `export default defineProject({
  name: ${quoted(name)},
  tasks,
  flow: ${quoted(flow)},
  data: {
${dataText(proposal)}
  },
${trunkText(proposal)}
  train: ${trainText(proposal)},
});`,
  ];
  const body = parts.join("\n\n");
  return `${comment(`Made from ${proposal.source} (${proposal.rows} rows) by cool init: yours to change.`, "")}
${importText(importsOf(body))}

${body}
`;
}

function importText(names: readonly string[]): string {
  const line = `import { ${names.join(", ")} } from "dnn-cool";`;
  return line.length <= 120 ? line : `import {\n${names.map((name) => `  ${name},`).join("\n")}\n} from "dnn-cool";`;
}

/** Functions of the package that the text calls. */
function importsOf(body: string): string[] {
  const code = body.replaceAll(/^\s*\/\/.*$/gm, "").replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return FUNCTIONS.filter((name) => new RegExp(`(?<![\\w.])${name}\\(`).test(code));
}

const FUNCTIONS = [
  ...[
    "binary",
    "boundedRegression",
    "box",
    "categorical",
    "classification",
    "concatenate",
    "defineProject",
    "defineTasks",
  ],
  ...[
    "idCount",
    "image",
    "known",
    "mapFeatures",
    "mlp",
    "multilabel",
    "numeric",
    "ordinal",
    "point",
    "pretrained",
    "regression",
    "smallConvNet",
    "tokenEncoder",
    "tokens",
    "unet",
  ],
];

/** No task may have it. */
function flowName({ tasks }: Proposal): string {
  const taken = new Set(tasks.map(({ name }) => name));
  let name = "main";
  for (let n = 2; taken.has(name); n++) name = `main_${n}`;
  return name;
}

function tasksText({ tasks, gates, backbone }: Proposal, flow: string): string {
  const declared = tasks.map((task) => `    ${key(task.name)}: ${taskText(task)},`);
  let told = "";
  const asked = tasks.flatMap((task) => {
    const evidence = task.evidence.join("\n");
    // what follows for the same reason needs no words of its own
    const comments = evidence === told ? [] : task.evidence.map((line) => comment(line, "  "));
    told = evidence;
    const use = `${member("flow", task.name)}(${task.isKnown ? "" : featureUse(featureOf(backbone, task))})`;
    const given = task.given === null ? "" : `.given(${conditionCode(task.given, gates)})`;
    return [...comments, `  out.add(${use}${given});`];
  });
  return `const tasks = defineTasks({
  features: ${list(featuresOf(backbone, tasks))},
  tasks: {
${declared.join("\n")}
  },
}).flow(${quoted(flow)}, (flow, x, out) => {
${asked.join("\n")}
});`;
}

function taskText(task: ProposedTask): string {
  const { role, name, column, isKnown, place, figure } = task;
  const own = [
    ...(name === column ? [] : [`column: ${quoted(column)}`]),
    ...(role.isMask === true ? ['per: "pixel"'] : []),
  ];
  if (isKnown) return call("known", own, 4);
  if (figure !== null) return figureText(figure);
  switch (role.kind) {
    case "binary":
      return call("binary", own, 4);
    case "classification":
      return call("classification", [...own, `classes: ${list(role.names)}`], 4);
    case "ordinal":
      return call("ordinal", [...own, `levels: ${list(role.names)}`], 4);
    case "multilabel": {
      const delimiter =
        role.delimiter === null || role.delimiter === "," ? [] : [`delimiter: ${quoted(role.delimiter)}`];
      return call("multilabel", [...own, `labels: ${list(role.names)}`, ...delimiter], 4);
    }
    case "regression":
      return place === null
        ? call("regression", own, 4)
        : call("boundedRegression", [...own, ...boundsText(place, role)], 4);
    default:
      return role.kind satisfies never;
  }
}

function figureText({ kind, columns, format, scale }: Figure): string {
  return call(
    kind,
    [
      `columns: ${list(columns)}`,
      ...(format === null || format === "xywh" ? [] : [`format: ${quoted(format)}`]),
      ...(scale === null ? [] : [`scale: ${quoted(scale)}`]),
    ],
    4,
  );
}

function boundsText(place: Place, role: TaskRole): string[] {
  const [min, max] = boundsOf(role.range ?? [0, 1]);
  const bounds = [...(min === 0 ? [] : [`min: ${min}`]), `max: ${max}`];
  // a normalized squared error is small beside a cross entropy
  const weight = "lossWeight: 20";
  const measures = `measures: ${quoted(place.measures)}`;
  if (place.unit === "fraction") return ["max: 1", measures, weight];
  if (place.unit === null) return [...bounds, measures, weight];
  const isAcross = place.measures === "x" || place.measures === "width";
  return [`scale: ${quoted(isAcross ? "image-width" : "image-height")}`, measures, weight];
}

/** `name({ a, b })`, in several lines where it is long. */
function call(name: string, options: readonly string[], indent: number): string {
  if (options.length === 0) return `${name}()`;
  const line = `${name}({ ${options.join(", ")} })`;
  if (line.length + indent < WIDTH) return line;
  const inner = " ".repeat(indent + 2);
  return `${name}({\n${options.map((option) => `${inner}${wrapped(option, inner)},`).join("\n")}\n${" ".repeat(indent)}})`;
}

/** A list that is too long for one line, filled line by line. */
function wrapped(option: string, inner: string): string {
  const start = option.indexOf("[");
  if (inner.length + option.length < WIDTH || start < 0 || !option.endsWith("]")) return option;
  const items = option.slice(start + 1, -1).match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last === undefined || last.length + item.length + 2 + inner.length > WIDTH) lines.push(`${item},`);
    else lines[lines.length - 1] = `${last} ${item},`;
  }
  return `${option.slice(0, start)}[\n${lines.map((line) => `${inner}  ${line}`).join("\n")}\n${inner}]`;
}

function dataText({ source, inputs, split, badPictures }: Proposal): string {
  const lines = [
    `table: ${quoted(source)},`,
    "inputs: {",
    ...inputs.flatMap((input) => [...adviceOn(input), `  ${key(input.name)}: ${inputText(input)},`]),
    "},",
    "column" in split
      ? `split: { column: ${quoted(split.column)} },`
      : `split: { train: ${split.train}, valid: ${split.valid}, test: ${split.test}, seed: ${split.seed} },`,
  ];
  if (badPictures !== null) {
    const { count, looked, first } = badPictures;
    lines.push(comment(`${count} of the ${looked} pictures that were looked at cannot be used: ${first}`, ""));
    lines.push('onBadImage: "skip",');
  }
  return lines.map((line) => `    ${line}`).join("\n");
}

/** What a table cannot say: whether there is a model that has been trained on such texts. */
function adviceOn({ kind, columns: [column = ""] }: ProposedInput): string[] {
  if (kind !== "tokens") return [];
  const call = `tokenizer({ column: ${quoted(column)}, file: "tokenizer.json" })`;
  const advice = `a pretrained encoder takes ${call}: docs/training.md`;
  return comment(advice, "  ").split("\n");
}

function inputText(input: ProposedInput): string {
  const [column = ""] = input.columns;
  switch (input.kind) {
    case "image": {
      const channels = input.channels === 3 ? [] : ["channels: 1"];
      return call("image", [`column: ${quoted(column)}`, `size: [${input.size.join(", ")}]`, ...channels], 6);
    }
    case "numeric": {
      const columns = `{ columns: ${list(input.columns)} }`;
      const missing = input.hasGaps ? ', { missing: "mean" }' : "";
      const line = `numeric(${columns}${missing})`;
      if (line.length + 20 < WIDTH) return line;
      return `numeric({\n        ${wrapped(`columns: ${list(input.columns)}`, " ".repeat(8))},\n      }${missing})`;
    }
    case "categorical": {
      const missing = input.hasGaps ? ['missing: "category"'] : [];
      return call("categorical", [`column: ${quoted(column)}`, `categories: ${list(input.categories)}`, ...missing], 6);
    }
    case "tokens": {
      const { maxLength, split } = input.vocabulary;
      const characters = split === "characters" ? ['split: "characters"'] : [];
      return call(
        "tokens",
        [
          `column: ${quoted(column)}`,
          `vocabulary: ${quoted(input.file)}`,
          `maxLength: ${maxLength}`,
          `unknown: ${quoted(UNKNOWN)}`,
          ...characters,
        ],
        6,
      );
    }
    default:
      return input satisfies never;
  }
}

/** One ready part per input; what they put out is joined where there are several. */
function trunkText({ inputs, backbone, tasks }: Proposal): string {
  const names = inputs.map(({ name }) => name);
  const hasTexts = inputs.some(({ kind }) => kind === "tokens");
  const head = `  trunk: ({ ${names.join(", ")} }, layers${hasTexts ? ", specs" : ""}) =>`;
  const picture = inputs.find(({ kind }) => kind === "image");
  if (backbone !== null && picture !== undefined) {
    const others = inputs.filter((input) => input !== picture).map((input) => partText(input, false));
    return backboneTrunk(backbone, picture, head, featuresOf(backbone, tasks), others);
  }
  if (picture !== undefined && tasks.some(({ role }) => role.isMask === true)) {
    return pixelTrunk(picture, inputs, head, featuresOf(null, tasks));
  }
  const advice = picture === undefined ? "" : `${comment(PRETRAINED, "  ")}\n`;
  return `${advice}${partsText(inputs, head)}`;
}

/** What a few hundred pictures need most. */
const PRETRAINED =
  "from scratch, which takes thousands of pictures; cool init --pretrained begins with a trained model: docs/training.md";

/** A map of the picture's size, of which the questions about the whole picture read the means. */
function pixelTrunk(
  picture: ProposedInput,
  inputs: readonly ProposedInput[],
  head: string,
  features: readonly string[],
): string {
  const others = inputs.filter((input) => input !== picture).map((input) => partText(input, false));
  const [pixels] = features.slice(-1);
  const pooled = "mapFeatures()(pixels, layers)";
  const whole =
    others.length === 0
      ? pooled
      : `mlp({ units: [64] })(concatenate([${[pooled, ...others].join(", ")}], layers), layers)`;
  const given = features.map((name) => (name === pixels ? name : `${name}: ${whole}`));
  return `${head} {
    // three times half as large, and back: sides of the size must be multiples of 8
    const pixels = unet({ filters: 8 })(${picture.name}, layers);
    return { ${given.join(", ")} };
  },`;
}

function partsText(inputs: readonly ProposedInput[], head: string): string {
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined) {
    const line = `${head} ({ features: ${partText(only, true)} }),`;
    return line.length <= 120 ? line : `${head} ({\n    features: ${partText(only, true)},\n  }),`;
  }
  return `${head} {
    const seen = concatenate([${inputs.map((input) => partText(input, false)).join(", ")}], layers);
    return { features: mlp({ units: [64] })(seen, layers) };
  },`;
}

/** @param isAlone whether nothing but this part makes features of it */
function partText({ kind, name }: ProposedInput, isAlone: boolean): string {
  switch (kind) {
    case "image":
      return `smallConvNet()(${name}, layers)`;
    case "tokens":
      return `tokenEncoder({ ids: idCount(specs.${name}) })(${name}, layers).pooled`;
    case "numeric":
    case "categorical":
      return isAlone ? `mlp()(${name}, layers)` : name;
    default:
      return kind satisfies never;
  }
}

function trainText({ rows, backbone }: Proposal): string {
  const batchSize = rows < 2_000 ? 16 : rows < 20_000 ? 32 : 128;
  const settings = `batchSize: ${batchSize}, optimizer: { kind: "adamw", learningRate: 1e-3 }`;
  if (backbone === null) return `{ epochs: 20, ${settings} }`;
  return `{ ${BACKBONE_EPOCHS}, ${settings}, ${BACKBONE_STOP} }`;
}

/** Whatever names and cells hold, one line of a comment, or several where it is long. */
function comment(text: string, indent: string): string {
  const words = printableLine(text).split(" ");
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 4 + indent.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line, i) => `${indent}// ${i === 0 ? "" : "  "}${line}`).join("\n");
}
