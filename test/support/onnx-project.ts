/** @file The tiny project behind the ONNX model of `fixtures/torch`, with two outputs of which one is a map. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linkOnnxRuntime } from "./onnx-runtime.js";
import { type TinyProject, tinyProject } from "./projects.js";

export const backbone = fileURLToPath(new URL("../../fixtures/torch/backbone.onnx", import.meta.url));

/**
 * @param trunk from `trunk: ` to `train:`, in place of the project's own
 * @param hasRuntime whether onnxruntime-node is on this machine
 */
export async function onnxProject(trunk: string, hasRuntime: boolean): Promise<TinyProject> {
  const project = await tinyProject();
  if (hasRuntime) linkOnnxRuntime(project.dir);
  copyFileSync(backbone, join(project.dir, "backbone.onnx"));
  const config = readFileSync(project.configFile, "utf8");
  const own = config.slice(config.indexOf("trunk: "), config.lastIndexOf("train:") + "train:".length);
  project.editConfig(
    [own, trunk],
    ["multilabel }", "multilabel, pretrained, sequential }"],
    ["size: [16, 16]", "size: [32, 32]"],
  );
  return project;
}
