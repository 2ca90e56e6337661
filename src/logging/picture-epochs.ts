/** @file After which epochs pictures are drawn: early ones densely, later ones ever more rarely, never more than so many. */

export interface PictureRhythm {
  /** Epochs between pictures; null: only at the end. */
  readonly imagesEvery: number | null;
  /** Pictures of a tag at most, that of the end among them; null: any number. */
  readonly maxImages: number | null;
}

/**
 * The epochs before the last one. Where there would be more than the most, the first is kept and the others are spaced
 * by one ratio, so that a run that is stopped early has its share. They hang on the plan alone: a run that goes on draws what
 * one that was never stopped would have drawn.
 * @param epochs planned
 */
export function pictureEpochs(epochs: number, { imagesEvery, maxImages }: PictureRhythm): ReadonlySet<number> {
  if (imagesEvery === null) return new Set();
  const count = Math.ceil(epochs / imagesEvery) - 1;
  const most = maxImages === null ? count : Math.min(count, maxImages - 1);
  const chosen = new Set<number>();
  for (let [place, left] = [0, most]; left > 0; left -= 1) {
    const next = place === 0 ? 1 : place * (count / place) ** (1 / left);
    // as many as are left have to fit behind it
    place = Math.min(Math.max(place + 1, Math.round(next)), count - left + 1);
    chosen.add(place * imagesEvery);
  }
  return chosen;
}
