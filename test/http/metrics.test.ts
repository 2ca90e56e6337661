/** @file The page of metrics, read by the grammar of Prometheus' text format. */
import { expect, it } from "vitest";
import { Metrics } from "../../src/http/metrics.js";
import { parsePrometheus } from "../support/prometheus.js";

it("has counters, gauges and histograms of which nothing is lost", () => {
  const metrics = new Metrics();
  const requests = metrics.counter("requests_total", "Requests.");
  let waiting = 3;
  metrics.gauge("waiting", "Waiting\nnow, a \\ path.", () => [[{}, waiting]]);
  const seconds = metrics.histogram("seconds", "Time.", [0.1, 1]);
  requests.add({ route: "/a", status: "200" });
  requests.add({ route: "/a", status: "200" }, 2);
  requests.add({ route: 'a "b" \\ \n' });
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value, { route: "/a" });
  waiting = 4;
  const parsed = parsePrometheus(metrics.text());
  expect(parsed.types).toEqual({ requests_total: "counter", waiting: "gauge", seconds: "histogram" });
  expect(parsed.samples).toEqual([
    { name: "requests_total", labels: { route: "/a", status: "200" }, value: 3 },
    { name: "requests_total", labels: { route: 'a "b" \\ \n' }, value: 1 },
    { name: "waiting", labels: {}, value: 4 },
    { name: "seconds_bucket", labels: { route: "/a", le: "0.1" }, value: 2 },
    { name: "seconds_bucket", labels: { route: "/a", le: "1" }, value: 3 },
    { name: "seconds_bucket", labels: { route: "/a", le: "+Inf" }, value: 4 },
    { name: "seconds_sum", labels: { route: "/a" }, value: 7.65 },
    { name: "seconds_count", labels: { route: "/a" }, value: 4 },
  ]);
});
