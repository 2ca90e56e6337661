/** @file The pages of `cool ui` take the place of the tables that the server sent. */
import { render } from "preact";
import { App } from "./app.js";

const root = document.getElementById("app");
if (root !== null) {
  document.documentElement.classList.add("js");
  root.replaceChildren();
  render(<App />, root);
}
