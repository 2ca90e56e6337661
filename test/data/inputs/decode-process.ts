/** @file A process of its own that fills a pixel cache: arguments are the cache folder, then image paths. */
import { decodeImages } from "../../../src/data/inputs/image-source.js";
import { PixelCache } from "../../../src/data/inputs/pixel-cache.js";

const [cacheDir = "", ...paths] = process.argv.slice(2);
const spec = { kind: "image", column: "img", size: [8, 8], channels: 3 } as const;
const store = new PixelCache(cacheDir, spec);
const outcomes = await decodeImages(paths, spec, store, {});
store.close();
process.exitCode = outcomes.every((outcome) => outcome.ok) ? 0 : 1;
