/**
 * @file Numbers of a running server in Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

type Labels = Readonly<Record<string, string>>;

/** A family of numbers under one name. */
interface Family {
  lines(): string[];
}

/** What only grows. */
export interface Counter {
  add(labels?: Labels, amount?: number): void;
}

/** How often values lay up to each bound. */
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/** All numbers of a server. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const values = new Map<string, number>();
    this.#add(name, help, "counter", () => [...values].map(([labels, value]) => `${name}${labels} ${value}`));
    return {
      add(labels = {}, amount = 1) {
        const key = labelText(labels);
        values.set(key, (values.get(key) ?? 0) + amount);
      },
    };
  }

  /** @param read what it is now, by its labels; one of {} where there are none */
  gauge(name: string, help: string, read: () => readonly (readonly [labels: Labels, value: number])[]): void {
    this.#add(name, help, "gauge", () => read().map(([labels, value]) => `${name}${labelText(labels)} ${value}`));
  }

  /** @param bounds upper ones, ascending */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const series = new Map<string, { readonly labels: Labels; readonly counts: number[]; sum: number }>();
    this.#add(name, help, "histogram", () =>
      [...series.values()].flatMap(({ labels, counts, sum }) => {
        let total = 0;
        const buckets = [...bounds.map(String), "+Inf"].map((le, i) => {
          total += counts[i] ?? 0;
          return `${name}_bucket${labelText({ ...labels, le })} ${total}`;
        });
        return [...buckets, `${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${total}`];
      }),
    );
    return {
      observe(value, labels = {}) {
        const key = labelText(labels);
        const one = series.get(key) ?? { labels, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
        const place = bounds.findIndex((bound) => value <= bound);
        const index = place < 0 ? bounds.length : place;
        one.counts[index] = (one.counts[index] ?? 0) + 1;
        one.sum += value;
        series.set(key, one);
      },
    };
  }

  /** The whole page. */
  text(): string {
    return [...this.#families.values()].map((family) => `${family.lines().join("\n")}\n`).join("");
  }

  #add(name: string, help: string, type: string, lines: () => string[]): void {
    const head = [`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`];
    this.#families.set(name, { lines: () => [...head, ...lines()] });
  }
}

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
