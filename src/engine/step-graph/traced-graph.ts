/** @file One TensorFlow graph that grows by what is traced, with variables that outlive its growth. */
import { DTYPE } from "../../protobuf/tensorflow.js";
import type { TensorflowBackend, TensorValues } from "../backends/tensorflow/binding.js";
import { FLOAT, GraphBuilder, type Output } from "./graph-def.js";
import { type Feed, Session } from "./session.js";
import { UntraceableError } from "./untraceable.js";

interface Variable {
  readonly handle: Output;
  readonly value: Output;
  readonly incoming: Output;
  /** Fetched to have `incoming` assigned. */
  readonly assigned: Output;
  readonly size: number;
}

/** What is run of a part of the graph. */
export interface Traced {
  readonly outputs: readonly Output[];
  /** All that is fed, also what no output needs. */
  readonly placeholders: readonly Output[];
  /** What is run by itself, before the outputs. */
  readonly before?: readonly Output[];
}

/** What is recorded into. */
export type RecordedGraph = Pick<TracedGraph, "backend" | "builder" | "variable">;

/** Owns a session: `dispose` frees it. */
export class TracedGraph {
  readonly backend: TensorflowBackend;
  readonly builder = new GraphBuilder();
  readonly #variables = new Map<string, Variable>();
  /** Values until there is a session to hold them. */
  #initial: Readonly<Record<string, Float32Array>>;
  readonly #kept: Output[] = [];
  #session: Session | null = null;

  /** @param variables flat vectors by name, with their first values */
  constructor(backend: TensorflowBackend, variables: Readonly<Record<string, Float32Array>>) {
    this.backend = backend;
    this.#initial = variables;
    for (const [name, { length: size }] of Object.entries(variables)) {
      // the library has no tensors without elements in some of its ops
      if (size > 0) this.#variables.set(name, declare(this.builder, name, size));
    }
  }

  /** A variable for ops that read or change it; null where it is empty. */
  variable(name: string): Pick<Variable, "handle" | "value" | "size"> | null {
    return this.#variables.get(name) ?? null;
  }

  /** A graph with variables of the same names, to record into what is thrown away: it is never run. */
  scratch(): RecordedGraph {
    const builder = new GraphBuilder();
    const sizes = new Map([...this.#variables].map(([name, { size }]) => [name, size]));
    const variable = (name: string) => {
      const size = sizes.get(name);
      return size === undefined ? null : declare(builder, name, size);
    };
    return { backend: this.backend, builder, variable };
  }

  /**
   * Extends the graph. The values of the variables go on.
   * @param trace builds nodes and tells which of them will be run
   * @throws UntraceableError where TensorFlow refuses the graph
   */
  grow<T extends Traced>(trace: () => T): T {
    const values = new Map([...this.#variables.keys()].map((name) => [name, this.read(name)]));
    const traced = trace();
    const variables = [...this.#variables.values()].flatMap(({ value, assigned }) => [value, assigned]);
    const own = [...traced.outputs, ...traced.placeholders, ...(traced.before ?? [])];
    const session = this.#open([...variables, ...this.#kept, ...own]);
    this.#session?.dispose();
    this.#session = session;
    this.#kept.push(...own);
    for (const [name, vector] of values) this.write(name, vector);
    this.#initial = {};
    return traced;
  }

  #open(outputs: readonly Output[]): Session {
    const graph = this.builder.encode(outputs);
    try {
      return new Session(this.backend.binding, graph);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UntraceableError(`TensorFlow refuses its graph: ${reason}`, { cause: error });
    }
  }

  /** Values of a variable now. */
  read(name: string): Float32Array {
    const variable = this.#variables.get(name);
    const initial = this.#initial[name] ?? new Float32Array(0);
    if (variable === undefined || this.#session === null) return initial;
    const [values] = this.#session.run([], [variable.value]);
    return values as Float32Array;
  }

  write(name: string, values: Float32Array): void {
    const variable = this.#variables.get(name);
    if (variable === undefined) return;
    const feed = { placeholder: variable.incoming, dtype: DTYPE.float, shape: [variable.size], values };
    this.run([feed], [variable.assigned]);
  }

  run(feeds: readonly Feed[], outputs: readonly Output[]): TensorValues[] {
    if (this.#session === null) throw new Error("nothing has been traced into this graph");
    return this.#session.run(feeds, outputs);
  }

  dispose(): void {
    this.#session?.dispose();
    this.#session = null;
  }
}

function declare(builder: GraphBuilder, name: string, size: number): Variable {
  const handle = builder.variable(name, size);
  const incoming = builder.placeholder(DTYPE.float, [size]);
  // a variable keeps the buffer that it is given, and what is fed lies in memory that belongs to JavaScript: freed by
  // one of the library's threads, it would take V8's heap with it
  const own = builder.node("DeepCopy", [incoming], { T: FLOAT });
  const done = builder.assign(handle, own);
  const assigned = builder.node("Identity", [builder.intScalar(0), `^${done}`], { T: { type: DTYPE.int32 } });
  return { handle, incoming, assigned, size, value: builder.read(handle) };
}
