/** @file The OpenAPI document of a served model: its real inputs and answers (https://spec.openapis.org/oas/v3.1.0). */
import type { InputSpec } from "../../data/dataset.js";
import { flowFacts } from "../../flow/kinds.js";
import { isPerElement, type TaskNode } from "../../flow/graph.js";
import { printCondition } from "../../flow/print.js";
import { packageVersion } from "../../platform/version.js";
import { behaviourOf } from "../../tasks/index.js";
import { columnsOf } from "../model/read-row.js";
import type { ServedModel } from "../model/served-model.js";

type Schema = Readonly<Record<string, unknown>>;

export interface DocumentOptions {
  readonly hasToken: boolean;
  readonly maxBodyBytes: number;
  readonly maxRows: number;
}

/** Names of more categories than that are not listed. */
const LISTED = 100;

export function openApi(model: ServedModel, options: DocumentOptions): Schema {
  const { hasToken, maxBodyBytes, maxRows } = options;
  const limits = `At most ${maxBodyBytes} bytes and ${maxRows} rows at a time.`;
  return {
    openapi: "3.1.0",
    info: {
      title: `${model.run.name}, served by dnn-cool`,
      version: packageVersion(),
      description: `Answers of ${model.title}. A question that is not asked has no answer.`,
    },
    ...(hasToken ? { security: [{ token: [] }] } : {}),
    paths: {
      "/predict": {
        post: {
          operationId: "predict",
          summary: "Answers to rows, as cool predict --json gives them",
          description: limits,
          ...asking(model),
          responses: { "200": ok("The answers, in the order of the rows.", ref("Predictions")), ...PROBLEMS },
        },
      },
      "/explain": {
        post: {
          operationId: "explain",
          summary: "Explanation trees of rows, as cool explain gives them",
          description: `${limits} With Accept: text/plain the trees as they are printed.`,
          ...asking(model),
          responses: {
            "200": {
              description: "The trees, in the order of the rows.",
              content: {
                "application/json": { schema: ref("Explanations") },
                "text/plain": { schema: { type: "string" } },
              },
            },
            ...PROBLEMS,
          },
        },
      },
      "/health": {
        get: {
          operationId: "health",
          summary: "Whether it answers",
          security: [],
          responses: {
            "200": ok("It does.", ref("Health")),
            "503": ok("It does not, or not any more.", ref("Health")),
          },
        },
      },
      "/metrics": {
        get: {
          operationId: "metrics",
          summary: "Numbers for Prometheus",
          responses: {
            "200": { description: "Its text format.", content: { "text/plain": { schema: { type: "string" } } } },
          },
        },
      },
      "/openapi.json": {
        get: { operationId: "openapi", summary: "This document", responses: { "200": ok("It.", { type: "object" }) } },
      },
    },
    components: {
      schemas: schemasOf(model),
      ...(hasToken ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } } : {}),
    },
  };
}

function schemasOf(model: ServedModel): Schema {
  return {
    Row: rowSchema(model),
    Rows: object({ inputs: { type: "array", items: ref("Row"), minItems: 1 } }, ["inputs"]),
    Answers: {
      ...object(Object.fromEntries(answered(model).map((task) => [task.path, answerSchema(model, task)])), []),
      description: "By path of task; tasks whose precondition does not hold are left out.",
    },
    Predictions: object(
      {
        run: { type: "string" },
        rows: { type: "integer" },
        predictions: {
          type: "array",
          items: object({ input: { type: "string" }, answers: ref("Answers") }, ["input", "answers"]),
        },
      },
      ["run", "rows", "predictions"],
    ),
    Node: object(
      {
        path: { type: "string" },
        kind: { enum: ["flow", "task"] },
        decoded: { type: "array" },
        activated: NUMBERS,
        logits: NUMBERS,
        children: { type: "array", items: ref("Node") },
      },
      ["path", "kind", "decoded", "activated", "logits", "children"],
    ),
    Explanations: object(
      {
        run: { type: "string" },
        explanations: {
          type: "array",
          items: object(
            {
              input: { type: "string" },
              text: { type: "string" },
              tree: { type: "array", items: ref("Node") },
              printed: { type: "string" },
            },
            ["input", "tree", "printed"],
          ),
        },
      },
      ["run", "explanations"],
    ),
    Health: object(
      { status: { enum: ["ok", "starting", "stopping"] }, run: { type: "string" }, workers: { type: "integer" } },
      ["status"],
    ),
    Problem: object({ error: { type: "string" }, message: { type: "string" }, facts: { type: "object" } }, [
      "error",
      "message",
      "facts",
    ]),
  };
}

const NUMBERS: Schema = { type: "array", items: { type: ["number", "null"] } };

/** The forms in which rows come. */
function asking(model: ServedModel): Schema {
  const pictures = Object.entries(model.inputs).filter(([, { kind }]) => kind === "image");
  const file = { type: "string", format: "binary" };
  const fields = Object.entries(rowProperties(model)).filter(([name]) => pictures.every(([input]) => input !== name));
  const form = object(
    {
      ...Object.fromEntries(pictures.map(([name]) => [name, { type: "array", items: file }])),
      ...Object.fromEntries(fields),
    },
    [],
  );
  return {
    requestBody: {
      required: true,
      content: {
        "application/json": { schema: ref("Rows") },
        ...(pictures.length === 1 ? { "image/*": { schema: file } } : {}),
        "multipart/form-data": { schema: form },
      },
    },
  };
}

function rowSchema(model: ServedModel): Schema {
  const properties = rowProperties(model);
  const several = Object.entries(model.inputs).filter(([, spec]) => columnsOf(spec).length > 1);
  // of several columns one value each will do
  const required = Object.keys(properties).filter((name) => several.every(([input]) => input !== name));
  const isComplete = several.length === 0 && known(model).length === 0;
  return {
    ...object(properties, isComplete ? required : []),
    description: "A value may also stand under the name of its column.",
  };
}

function rowProperties(model: ServedModel): Readonly<Record<string, Schema>> {
  return Object.fromEntries([
    ...Object.entries(model.inputs).map(([name, spec]) => [name, inputSchema(spec)] as const),
    ...known(model).map(
      ({ path }) => [path, { type: ["boolean", "null"], description: "An answer that is known." }] as const,
    ),
  ]);
}

function inputSchema(spec: InputSpec): Schema {
  switch (spec.kind) {
    case "image":
      return {
        type: "string",
        contentEncoding: "base64",
        description: `A JPEG, PNG, WebP or TIFF of any size; the network sees ${spec.size.join(" × ")} pixels of ${spec.channels === 1 ? "grey" : "RGB"}.`,
      };
    case "numeric": {
      const length = spec.listLength ?? spec.columns.length;
      const number = { type: spec.missing === "mean" ? ["number", "null"] : "number" };
      const list = { type: "array", items: number, minItems: length, maxItems: length };
      const columns = spec.listLength === null ? ` of ${spec.columns.join(", ")}` : "";
      return { ...(length === 1 ? { oneOf: [number, list] } : list), description: `Numbers${columns}, as they come.` };
    }
    case "categorical": {
      const { categories, missing } = spec;
      const names =
        categories.length <= LISTED
          ? { enum: [...categories, ...(missing === "error" ? [] : [null])] }
          : { type: "string" };
      return { ...names, description: `One of ${categories.length} categories.` };
    }
    case "tokens":
      if (spec.tokenizer !== undefined) {
        return {
          oneOf: [
            { type: "string" },
            ...(spec.tokenizer.words === true ? [{ type: "array", items: { type: "string" } }] : []),
            { type: "array", items: { type: "integer" } },
          ],
          description: `A text, ${spec.tokenizer.words === true ? "its words, " : ""}or the ids that its tokenizer makes of it, at most ${spec.maxLength}.`,
        };
      }
      return {
        oneOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
        description: `A text, or a list of tokens, of which the first ${spec.maxLength} are read.`,
      };
    default:
      return spec satisfies never;
  }
}

function known({ graph }: ServedModel): readonly TaskNode[] {
  return graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "table");
}

function answered({ graph }: ServedModel): readonly TaskNode[] {
  return graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy !== "training");
}

function answerSchema({ graph }: ServedModel, { spec, precondition }: TaskNode): Schema {
  const facts = flowFacts(spec);
  const names = facts.names(spec);
  const name = names.length > 0 && names.length <= LISTED ? { enum: [...names, null] } : { type: ["string", "null"] };
  const behaviour = behaviourOf(spec);
  const forms: Readonly<Record<ReturnType<typeof behaviour.answerType>, Schema>> = {
    truth: { type: ["boolean", "null"] },
    number: { type: ["number", "null"] },
    numbers: { type: ["array", "null"], items: { type: "number" } },
    text: facts.gate(spec) === "label" ? { type: ["array", "null"], items: { enum: [...names] } } : name,
  };
  const one = forms[behaviour.answerType(spec)];
  const decoded = isPerElement(spec) ? { type: "array", items: one } : one;
  const probability = isPerElement(spec) ? NUMBERS : { type: ["number", "null"] };
  const asked = precondition === null ? "always" : `where ${printCondition(graph, precondition)}`;
  return {
    ...object({ decoded, activated: NUMBERS, asked_probability: probability, joint_probability: probability }, [
      "decoded",
      "activated",
    ]),
    description: `${facts.typeName(spec)}, asked ${asked}`,
  };
}

const PROBLEMS: Schema = Object.fromEntries(
  Object.entries({
    "400": "What was sent does not fit the model; the message says where.",
    "413": "Too large, or too many rows.",
    "415": "Of a type that is not read.",
    "500": "The server failed.",
    "503": "Too much at once: ask again after Retry-After seconds.",
    "504": "It took too long.",
  }).map(([status, description]) => [status, ok(description, ref("Problem"))]),
);

function ok(description: string, schema: Schema): Schema {
  return { description, content: { "application/json": { schema } } };
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: Readonly<Record<string, unknown>>, required: readonly string[]): Schema {
  return { type: "object", properties, ...(required.length === 0 ? {} : { required }) };
}
