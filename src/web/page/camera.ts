/** @file The camera: shown until a picture is taken. */
import { element } from "./elements.js";

/**
 * Shows what the camera sees, and ends when a picture is taken or nobody wants one.
 * @param place where to show it
 * @throws Error that says what the camera lacks
 */
export async function openCamera(place: HTMLElement, take: (file: File) => void): Promise<void> {
  const stream = await openStream();
  const video = element("video", { playsinline: true, "aria-label": "What the camera sees" });
  video.muted = true;
  video.srcObject = stream;
  const shoot = element("button", { type: "button" }, "Take the picture");
  const leave = element("button", { type: "button", class: "second" }, "Close the camera");
  place.replaceChildren(video, element("div", { class: "actions" }, shoot, leave));
  place.hidden = false;
  try {
    await video.play();
    shoot.focus();
    const isWanted = await Promise.race([pressed(shoot, true), pressed(leave, false)]);
    if (isWanted) take(await pictureOf(video));
  } finally {
    for (const track of stream.getTracks()) track.stop();
    place.replaceChildren();
  }
}

async function openStream(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) {
    throw new Error("Browsers open the camera only for pages that came by https, or from this computer.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    const isRefused = error instanceof Error && error.name === "NotAllowedError";
    throw new Error(
      isRefused
        ? "The browser may not use the camera. Allow it for this page, in the browser's address bar."
        : "There is no camera that the browser can open. Choose a file instead.",
      { cause: error },
    );
  }
}

function pressed<T>(button: HTMLButtonElement, value: T): Promise<T> {
  return new Promise((resolve) => {
    button.addEventListener("click", () => resolve(value), { once: true });
  });
}

/** Without loss: a PNG has the pixels that the camera gave. */
async function pictureOf(video: HTMLVideoElement): Promise<File> {
  const canvas = element("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
  if (blob === null) throw new Error("The camera gave no picture. Try again, or choose a file.");
  return new File([blob], "camera.png", { type: blob.type });
}
