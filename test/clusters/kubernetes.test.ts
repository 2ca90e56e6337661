/** @file Manifests against the names that Kubernetes has published for batch/v1 Job. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Job } from "../../src/clusters/job.js";
import { kubernetesJob } from "../../src/clusters/kubernetes/manifest.js";

type Fields = Readonly<Record<string, unknown>>;

const { fields, values } = JSON.parse(
  readFileSync(new URL("../../fixtures/kubernetes/job-v1.json", import.meta.url), "utf8"),
) as {
  readonly fields: Readonly<Record<string, readonly string[]>>;
  readonly values: Readonly<Record<string, readonly string[]>>;
};

/** Which type of the reference stands under a field of another. */
const TYPES: Readonly<Record<string, string>> = {
  "Job.metadata": "ObjectMeta",
  "Job.spec": "JobSpec",
  "JobSpec.podFailurePolicy": "PodFailurePolicy",
  "PodFailurePolicy.rules": "PodFailurePolicyRule",
  "PodFailurePolicyRule.onExitCodes": "PodFailurePolicyOnExitCodesRequirement",
  "PodFailurePolicyRule.onPodConditions": "PodFailurePolicyOnPodConditionsPattern",
  "JobSpec.template": "PodTemplateSpec",
  "PodTemplateSpec.spec": "PodSpec",
  "PodSpec.containers": "Container",
  "PodSpec.volumes": "Volume",
  "Container.resources": "ResourceRequirements",
  "Container.volumeMounts": "VolumeMount",
  "Volume.persistentVolumeClaim": "PersistentVolumeClaimVolumeSource",
};

/** Names and values that the reference does not have. */
function unknownTo(type: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => unknownTo(type, one));
  return Object.entries(value as Fields).flatMap(([name, inner]) => {
    if (fields[type]?.includes(name) !== true) return [`${type}.${name}`];
    const known = values[name];
    if (known !== undefined && !known.includes(String(inner))) return [`${type}.${name}: ${inner}`];
    const next = TYPES[`${type}.${name}`];
    return next === undefined ? [] : unknownTo(next, inner);
  });
}

const JOB: Job = {
  name: "Rates of TREES_",
  words: ["sweep", "--start-or-resume=rates", "--set=train.batchSize=1,2"],
  tasks: 3,
  needs: { timeS: 3600, cpus: 2, gpus: "a100:1", memory: "16G" },
};

test("every field and value of a manifest is one that Kubernetes has published", () => {
  expect(unknownTo("Job", kubernetesJob(JOB, { image: "registry/cool:1", volume: "work" }))).toEqual([]);
  expect(unknownTo("Job", kubernetesJob({ ...JOB, needs: {} }, { image: "x", volume: null }))).toEqual([]);
  expect(unknownTo("Job", { spec: { completion: 1, template: { spec: { restartPolicy: "No" } } } })).toEqual([
    "JobSpec.completion",
    "PodSpec.restartPolicy: No",
  ]);
});

test("each index is a worker; 75 and a lost node start it again uncounted, 1 and 2 fail it", () => {
  const { metadata, spec } = kubernetesJob(JOB, { image: "registry/cool:1", volume: "work" }) as {
    readonly metadata: Fields;
    readonly spec: Fields & { readonly template: { readonly spec: Fields } };
  };
  // a DNS label: lower case, digits and hyphens, no more than 63
  expect(metadata.name).toBe("rates-of-trees");
  expect(spec).toMatchObject({ completionMode: "Indexed", completions: 3, parallelism: 3, backoffLimitPerIndex: 3 });
  expect(spec.activeDeadlineSeconds).toBe(3600);
  expect(spec.podFailurePolicy).toEqual({
    rules: [
      { action: "Ignore", onExitCodes: { containerName: "cool", operator: "In", values: [75] } },
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
      { action: "FailIndex", onExitCodes: { containerName: "cool", operator: "In", values: [1, 2] } },
    ],
  });
  expect(spec.template.spec.restartPolicy).toBe("Never");
  expect(spec.template.spec.containers).toMatchObject([
    {
      image: "registry/cool:1",
      command: ["cool", ...JOB.words],
      resources: { limits: { cpu: "2", memory: "16Gi", "nvidia.com/gpu": "1" } },
    },
  ]);
});
