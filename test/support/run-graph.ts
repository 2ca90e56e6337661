/** @file Runs the ops of a graph that optimizers are made of, in double precision, for tests without TensorFlow. */
import type { GraphBuilder, Output } from "../../src/engine/step-graph/graph-def.js";
import type { Feed } from "../../src/engine/step-graph/session.js";

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly value?: readonly number[];
}

/** Records what is built, as far as optimizers build, and runs it. */
export class GraphRunner {
  readonly #nodes = new Map<string, Node>();
  readonly variables = new Map<string, Float32Array>();

  constructor(variables: Readonly<Record<string, Float32Array>>) {
    for (const [name, values] of Object.entries(variables)) this.variables.set(name, values.slice());
  }

  readonly builder = {
    node: (op: string, inputs: readonly string[]): Output => this.#add({ op, inputs }),
    float: (op: string, ...inputs: readonly string[]): Output => this.#add({ op, inputs }),
    floatScalar: (value: number): Output => this.#add({ op: "Const", inputs: [], value: [value] }),
    placeholder: (): Output => this.#add({ op: "Placeholder", inputs: [] }),
    assign: (variable: Output, value: Output): string => this.#add({ op: "Assign", inputs: [variable, value] }),
    join: (vectors: readonly Output[]): Output => this.#add({ op: "ConcatV2", inputs: vectors }),
    cut: (vector: Output, lengths: readonly number[]): Output[] =>
      lengths.map((length, i) => {
        const from = lengths.slice(0, i).reduce((sum, each) => sum + each, 0);
        return this.#add({ op: "Slice", inputs: [vector], value: [from, from + length] });
      }),
  } as unknown as GraphBuilder;

  variable(name: string): { readonly handle: Output; readonly value: Output; readonly size: number } | null {
    const size = this.variables.get(name)?.length;
    if (size === undefined) return null;
    return { handle: `variable:${name}`, value: this.#add({ op: "Read", inputs: [`variable:${name}`] }), size };
  }

  #add(node: Node): Output {
    const name = `n${this.#nodes.size}`;
    this.#nodes.set(name, node);
    return name;
  }

  /** What is read without waiting for anything is read before anything is assigned. */
  run(
    feeds: readonly Feed[],
    gradient: { readonly place: Output; readonly values: Float32Array },
    done: readonly string[],
  ) {
    const known = new Map<string, readonly number[]>(
      feeds.map(({ placeholder, values }) => [placeholder, [...values]]),
    );
    known.set(gradient.place, [...gradient.values]);
    for (const [name, { op, inputs }] of this.#nodes) {
      if (op === "Read") known.set(name, [...this.#stored(inputs[0] as string)]);
    }
    for (const node of done) this.#evaluate(node, known);
  }

  #stored(handle: string): Float32Array {
    return this.variables.get(handle.replace("variable:", "")) as Float32Array;
  }

  #evaluate(name: string, known: Map<string, readonly number[]>): readonly number[] {
    const found = known.get(name);
    if (found !== undefined) return found;
    const { op, inputs, value } = this.#nodes.get(name) as Node;
    for (const input of inputs) if (input.startsWith("^")) this.#evaluate(input.slice(1), known);
    const handles = inputs.filter((input) => input.startsWith("variable:"));
    const values = inputs
      .filter((input) => !input.startsWith("^") && !input.startsWith("variable:"))
      .map((input) => this.#evaluate(input, known));
    const result = this.#compute(op, handles, values, value);
    known.set(name, result);
    return result;
  }

  #compute(
    op: string,
    handles: readonly string[],
    values: readonly (readonly number[])[],
    constant?: readonly number[],
  ) {
    const [a = [], b = []] = values;
    const each = (combine: (x: number, y: number) => number): number[] =>
      Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
        combine((a.length === 1 ? a[0] : a[i]) as number, (b.length === 1 ? b[0] : b[i]) as number),
      );
    switch (op) {
      case "Const":
        return constant as readonly number[];
      case "Identity":
        return a;
      case "ConcatV2":
        return values.flat();
      case "Slice":
        return a.slice(constant?.[0], constant?.[1]);
      case "Mul":
        return each((x, y) => x * y);
      case "AddV2":
        return each((x, y) => x + y);
      case "Sub":
        return each((x, y) => x - y);
      case "RealDiv":
        return each((x, y) => x / y);
      case "Sqrt":
        return a.map(Math.sqrt);
      case "Square":
        return a.map((x) => x * x);
      case "Sign":
        return a.map(Math.sign);
      case "ReadVariableOp":
        return [...this.#stored(handles[0] as string)];
      case "Assign":
        this.#stored(handles[0] as string).set(a);
        return [];
      case "ResourceApplyAdam":
        this.#adam(handles, values);
        return [];
      default:
        throw new Error(`no op ${op}`);
    }
  }

  /** As TensorFlow's ApplyAdam does, with the powers of the betas as they are given. */
  #adam(handles: readonly string[], values: readonly (readonly number[])[]): void {
    const [power1, power2, rate, beta1, beta2, epsilon] = values.slice(0, 6).map(([x]) => x as number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const gradient = values[6] as readonly number[];
    const [variable, m, v] = handles.map((handle) => this.#stored(handle)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const alpha = (rate * Math.sqrt(1 - power2)) / (1 - power1);
    gradient.forEach((g, i) => {
      m[i] = (m[i] as number) + (g - (m[i] as number)) * (1 - beta1);
      v[i] = (v[i] as number) + (g * g - (v[i] as number)) * (1 - beta2);
      variable[i] = (variable[i] as number) - (alpha * (m[i] as number)) / (Math.sqrt(v[i] as number) + epsilon);
    });
  }
}
