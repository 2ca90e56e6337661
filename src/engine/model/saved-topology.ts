/**
 * @file Whether the layers of a saved model can be put together: tfjs waits for ever for one that is named and not there,
 * or that waits for itself.
 */

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong, or null. Models within the model are looked at, too. */
export function topologyProblem(topology: unknown): string | null {
  const waiting: unknown[] = [topology];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null) continue;
    const fields: Fields = { ...node };
    if (Array.isArray(fields.layers) && fields.layers.some((layer) => "inbound_nodes" in fieldsOf(layer))) {
      const layers = fields.layers.map(fieldsOf);
      const problem = layersProblem(layers) ?? endsProblem(fields, layers);
      if (problem !== null) return problem;
    }
    waiting.push(...Object.values(fields));
  }
  return null;
}

/** A call of a layer, and the calls whose outputs it reads. */
interface Call {
  readonly key: string;
  readonly reads: readonly string[];
}

function layersProblem(layers: readonly Fields[]): string | null {
  const names = layers.map(({ name }) => name);
  const unnamed = names.findIndex((name) => typeof name !== "string" || name === "");
  if (unnamed >= 0) return `layer ${unnamed} has no name`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `two layers are called ${JSON.stringify(twice)}`;
  const differing = layers.find(({ name, config }) => (fieldsOf(config).name ?? name) !== name);
  if (differing !== undefined) return `the layer ${JSON.stringify(differing.name)} has another name in its settings`;
  const calls = layers.flatMap(callsOf);
  let left = calls;
  const made = new Set<string>();
  for (;;) {
    const still = left.filter(({ key, reads }) => {
      const isReady = reads.every((read) => made.has(read));
      if (isReady) made.add(key);
      return !isReady;
    });
    const [first] = still;
    if (first === undefined) return null;
    if (still.length === left.length) return `the layer of ${first.key} reads what no layer makes`;
    left = still;
  }
}

/** What a model within the model, or the whole, is said to take and to give: layers that it has, and at least one of each. */
function endsProblem(model: Fields, layers: readonly Fields[]): string | null {
  const names = new Set(layers.map(({ name }) => name));
  for (const [key, verb] of Object.entries({ input_layers: "takes", output_layers: "gives" })) {
    const ends = model[key];
    if (!Array.isArray(ends)) return `a model does not say what it ${verb}`;
    // one alone may stand without a list around it
    const listed = typeof ends[0] === "string" ? [ends] : ends;
    if (listed.length === 0) return `a model ${verb} nothing`;
    const unknown = listed.find((end) => !Array.isArray(end) || !names.has(end[0]));
    if (unknown !== undefined) return `a model ${verb} what no layer makes`;
  }
  return null;
}

/** A layer that reads none is called once, by itself. */
function callsOf({ name, inbound_nodes: nodes }: Fields): Call[] {
  const calls = Array.isArray(nodes) && nodes.length > 0 ? nodes : [[]];
  return calls.map((inputs, i) => ({
    key: keyOf(name, i),
    reads: Array.isArray(inputs)
      ? inputs.map((input) => (Array.isArray(input) ? keyOf(input[0], input[1]) : "?"))
      : ["?"],
  }));
}

function keyOf(name: unknown, call: unknown): string {
  return `${JSON.stringify(name)} (${String(call)})`;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
