/** @file What a replica loads of a user's project: its configuration, which registers custom tasks and layers. */
import { importConfig } from "./load-project.js";

/** @param file the project's configuration */
export default async function prepare(file: unknown): Promise<void> {
  await importConfig(file as string);
}
