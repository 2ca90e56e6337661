/** @file Augmentation of one picture: what is drawn at random, and where it moves a place. */
import { compose, type Homography, mapPlace, type Place, rotation, toQuadrangle } from "./augmentation/homography.js";
import type { MixSettings } from "./augmentation/mixing.js";
import { createRandom, type Random } from "./rng.js";

/** How much training pictures may be changed; nothing by default. */
export interface AugmentSettings extends MixSettings {
  /** Probability of a mirror image, left and right exchanged. */
  readonly flipHorizontal: number;
  /** Probability of top and bottom exchanged. */
  readonly flipVertical: number;
  /** Largest shift along each axis, as a fraction of the picture's size. */
  readonly shift: number;
  /** Smallest and largest factor of size, about the picture's centre. */
  readonly scale: readonly [smallest: number, largest: number];
  /** Factors are drawn from 1 − value to 1 + value. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Largest turn either way, in degrees. */
  readonly rotate: number;
  /** Smallest and largest share of the picture's area that is cut out and enlarged to the whole. */
  readonly crop: readonly [smallest: number, largest: number];
  /** How far each corner may move inwards, as a fraction of half the picture's size. */
  readonly perspective: number;
  /** Largest standard deviation of a Gaussian blur, in pixels. */
  readonly blur: number;
  /** Largest standard deviation of Gaussian noise, as a fraction of the range from black to white. */
  readonly noise: number;
  /** Probability that a rectangle is filled with the picture's mean colour. */
  readonly erase: number;
}

/** How a picture is moved along one axis. */
export interface AxisMove {
  readonly flip: boolean;
  readonly scale: number;
  /** As a fraction of the picture's size. */
  readonly shift: number;
}

/** What happens to one picture. */
export interface Augmentation {
  /** What turns or bends the picture, before it is moved along its axes; null: nothing. */
  readonly warp: Homography | null;
  readonly horizontal: AxisMove;
  readonly vertical: AxisMove;
  /** Factors; 1 changes nothing. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Standard deviation of a Gaussian blur, in pixels; 0: none. */
  readonly blur: number;
  readonly noise: Noise | null;
  readonly erased: Rectangle | null;
}

export interface Noise {
  /** Of values from 0 to 255. */
  readonly deviation: number;
  /** Of this picture alone. */
  readonly seed: string;
}

/** A part of a picture, in fractions of its size. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Depends on its arguments alone, so that a resumed run sees the same pictures. */
export function drawAugmentation(
  settings: AugmentSettings,
  /** What the draw hangs on: the run's seed, the epoch, the row of the dataset. */
  { seed, epoch, row }: DrawnFor,
  /** Width of the picture in pixels by its height. */
  aspect: number,
): Augmentation {
  const name = `augmentation of row ${row} in epoch ${epoch} of seed ${seed}`;
  const random = createRandom(name);
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  // every number is drawn whatever the settings, so that changing one leaves the others' draws as they are
  const [flipX, flipY] = [random.next() < settings.flipHorizontal, random.next() < settings.flipVertical];
  const [shiftX, shiftY] = [between(-settings.shift, settings.shift), between(-settings.shift, settings.shift)];
  const scale = between(...settings.scale);
  const factor = (spread: number): number => between(1 - spread, 1 + spread);
  const [brightness, contrast, saturation] = [
    factor(settings.brightness),
    factor(settings.contrast),
    factor(settings.saturation),
  ];
  const degrees = between(-settings.rotate, settings.rotate);
  const corners = drawCorners(random, settings.perspective);
  const crop = drawCrop(random, settings.crop);
  const [blur, deviation] = [settings.blur * random.next(), settings.noise * random.next() * 255];
  const isErased = random.next() < settings.erase;
  const erased = drawRectangle(random, between(0.02, 0.33), aspect);
  return {
    warp: warpOf(settings, degrees, corners, aspect),
    horizontal: cropped({ flip: flipX, scale, shift: shiftX }, crop.left, crop.width),
    vertical: cropped({ flip: flipY, scale, shift: shiftY }, crop.top, crop.height),
    ...{ brightness, contrast, saturation, blur },
    noise: deviation === 0 ? null : { deviation, seed: `noise of ${name}` },
    erased: isErased ? erased : null,
  };
}

/** What a draw hangs on. */
export interface DrawnFor {
  /** Of the run. */
  readonly seed: number | string;
  readonly epoch: number;
  /** Of the dataset. */
  readonly row: number;
}

function warpOf(
  { rotate, perspective }: AugmentSettings,
  degrees: number,
  corners: Homography,
  aspect: number,
): Homography | null {
  if (perspective === 0) return rotate === 0 ? null : rotation(degrees, aspect);
  return compose(corners, rotation(degrees, aspect));
}

/** Each corner moves inwards along both axes, by up to `distortion / 2` of the size (torchvision's RandomPerspective). */
function drawCorners(random: Random, distortion: number): Homography {
  const inwards = (): number => (distortion / 2) * random.next();
  return toQuadrangle([
    [inwards(), inwards()],
    [1 - inwards(), inwards()],
    [1 - inwards(), 1 - inwards()],
    [inwards(), 1 - inwards()],
  ]);
}

/**
 * A part of the picture that is enlarged to the whole: its area uniform between two shares, the logarithm of its aspect
 * ratio uniform between those of 3 : 4 and 4 : 3 (Szegedy et al., Going Deeper with Convolutions, 2015), cut to the
 * picture where it is longer. The whole picture stays as it is.
 */
function drawCrop(random: Random, [smallest, largest]: AugmentSettings["crop"]): Rectangle {
  const area = smallest + (largest - smallest) * random.next();
  const ratio = Math.exp(Math.log(4 / 3) * (2 * random.next() - 1));
  const [x, y] = [random.next(), random.next()];
  if (smallest === 1) return WHOLE;
  const [width, height] = [Math.min(1, Math.sqrt(area * ratio)), Math.min(1, Math.sqrt(area / ratio))];
  return { left: x * (1 - width), top: y * (1 - height), width, height };
}

const WHOLE: Rectangle = { left: 0, top: 0, width: 1, height: 1 };

/** The same move, after which the part from `start` of length `extent` is enlarged to the whole. */
function cropped(move: AxisMove, start: number, extent: number): AxisMove {
  if (extent === 1) return move;
  return { flip: move.flip, scale: move.scale / extent, shift: (0.5 + move.shift - start) / extent - 0.5 };
}

/** A rectangle of a share of the area and a ratio of its sides between 0.3 and 3.3, in pixels (Zhong et al. 2020). */
function drawRectangle(random: Random, area: number, aspect: number): Rectangle {
  const ratio = Math.exp(Math.log(0.3) + Math.log(3.3 / 0.3) * random.next());
  const width = Math.min(1, Math.sqrt((area * ratio) / aspect));
  const height = Math.min(1, Math.sqrt((area * aspect) / ratio));
  return { left: (1 - width) * random.next(), top: (1 - height) * random.next(), width, height };
}

/** Whether pictures are moved at all by these settings, and with them the labels that measure them. */
export function movesPictures(settings: AugmentSettings): boolean {
  const { flipHorizontal, flipVertical, shift, scale, crop } = settings;
  const isSized = scale[0] !== 1 || scale[1] !== 1 || crop[0] !== 1;
  return flipHorizontal > 0 || flipVertical > 0 || shift > 0 || isSized || warpsPictures(settings);
}

/** Whether pictures are turned or bent, so that where something is along one axis hangs on both. */
export function warpsPictures({ rotate, perspective }: AugmentSettings): boolean {
  return rotate > 0 || perspective > 0;
}

/** Where a place goes: flipped, then scaled about the centre, then shifted. All in fractions of the picture's size. */
export function movePlace({ flip, scale, shift }: AxisMove, place: number): number {
  return 0.5 + scale * ((flip ? 1 - place : place) - 0.5) + shift;
}

export function movesNothing({ flip, scale, shift }: AxisMove): boolean {
  return !flip && scale === 1 && shift === 0;
}

/** Where a place goes: turned and bent, then moved along each axis. In fractions of the picture's size. */
export function moveThrough({ warp, horizontal, vertical }: Moves, place: Place): Place {
  const [x, y] = warp === null ? place : mapPlace(warp, place);
  return [movePlace(horizontal, x), movePlace(vertical, y)];
}

/** What moves the places of a picture. */
export type Moves = Pick<Augmentation, "warp" | "horizontal" | "vertical">;

/** The moves as one map; rows and columns of a picture stay straight, and apart, where nothing warps it. */
export function asHomography({ warp, horizontal, vertical }: Moves): Homography {
  const [x, y] = [lineOf(horizontal), lineOf(vertical)];
  const moves: Homography = [x.factor, 0, x.offset, 0, y.factor, y.offset, 0, 0, 1];
  return warp === null ? moves : compose(moves, warp);
}

function lineOf({ flip, scale, shift }: AxisMove): { readonly factor: number; readonly offset: number } {
  const factor = flip ? -scale : scale;
  return { factor, offset: 0.5 + shift - 0.5 * factor };
}
