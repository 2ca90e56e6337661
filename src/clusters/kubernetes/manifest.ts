/**
 * @file A job as a manifest of Kubernetes, `batch/v1` Job.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
 */
import { START_AGAIN } from "../../errors.js";
import { type Job, plainName } from "../job.js";

export interface KubernetesPlace {
  /** Image in which `cool` is on the path. */
  readonly image: string;
  /** PersistentVolumeClaim with the project and its store; null: they are in the image. */
  readonly volume: string | null;
}

/** Where the volume is mounted, and the command is given. */
const FOLDER = "/work";
const CONTAINER = "cool";
/** From SIGTERM to SIGKILL: a step and a checkpoint. */
const GRACE_S = 120;
/** Of pods that fail otherwise, such as for want of memory. */
const MOST_RETRIES = 3;

/**
 * An indexed Job: each index is a worker, and has failures of its own. A pod that ends with 75, or loses its node, is
 * replaced without being counted; one that ends with 1 or 2 would do so again, and fails its index.
 */
export function kubernetesJob(job: Job, { image, volume }: KubernetesPlace): Readonly<Record<string, unknown>> {
  const { tasks, words, needs } = job;
  const container = {
    name: CONTAINER,
    image,
    command: ["cool", ...words],
    workingDir: FOLDER,
    resources: resourcesOf(needs),
    ...(volume === null ? {} : { volumeMounts: [{ name: "work", mountPath: FOLDER }] }),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: plainName(job.name), labels: { "app.kubernetes.io/name": "dnn-cool" } },
    spec: {
      completionMode: "Indexed",
      completions: tasks,
      parallelism: tasks,
      backoffLimitPerIndex: MOST_RETRIES,
      ...(needs.timeS === undefined ? {} : { activeDeadlineSeconds: needs.timeS }),
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onExitCodes: { containerName: CONTAINER, operator: "In", values: [START_AGAIN] } },
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          { action: "FailIndex", onExitCodes: { containerName: CONTAINER, operator: "In", values: [1, 2] } },
        ],
      },
      template: {
        spec: {
          // a failure policy asks for it: the Job makes new pods, the pod no new containers
          restartPolicy: "Never",
          terminationGracePeriodSeconds: GRACE_S,
          containers: [container],
          ...(volume === null ? {} : { volumes: [{ name: "work", persistentVolumeClaim: { claimName: volume } }] }),
        },
      },
    },
  };
}

function resourcesOf({ cpus, gpus, memory }: Job["needs"]): Readonly<Record<string, unknown>> {
  const amounts = {
    ...(cpus === undefined ? {} : { cpu: String(cpus) }),
    // powers of 1024, as Slurm means them
    ...(memory === undefined ? {} : { memory: `${memory}i` }),
    // "a100:1": its type is chosen by the nodes' labels
    ...(gpus === undefined ? {} : { "nvidia.com/gpu": gpus.replace(/^.*:/, "") }),
  };
  return { requests: amounts, limits: amounts };
}
