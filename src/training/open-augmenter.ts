/** @file The augmentation of a run, whose pictures are changed in a thread beside the steps. */
import type { BatchAugmenter } from "../engine/batches/augment.js";
import type { RunContext } from "./run-context.js";

/** Changes batches, with a thread of its own. */
interface OpenAugmenter {
  readonly augment: BatchAugmenter;
  close(): Promise<void>;
}

/** @returns null where nothing is to be augmented */
export async function openAugmenter({
  project,
  settings,
}: Pick<RunContext, "project" | "settings">): Promise<OpenAugmenter | null> {
  const { augment } = settings.data;
  if (augment === null) return null;
  const [{ createBatchAugmenter }, { PictureThread }] = await Promise.all([
    import("../engine/batches/augment.js"),
    import("../engine/batches/picture-thread.js"),
  ]);
  const threads: InstanceType<typeof PictureThread>[] = [];
  const augmentBatch = createBatchAugmenter(project.graph, project.inputs, augment, settings.train.seed, (changes) => {
    const thread = new PictureThread(changes);
    threads.push(thread);
    return thread.augment;
  });
  return {
    augment: augmentBatch,
    async close() {
      for (const thread of threads) await thread.close();
    },
  };
}
