// Begins at the heading, and looks every other second whether the outcome is known. After five minutes it rests.
const EVERY = 2000;
let looks = 150;

const begin = () => document.getElementById("outcome").focus({ preventScroll: parent !== window }); // see frame.js

// What is new is said once: by the heading, if the reader is still there, else beside it.
const show = (fresh, title) => {
  const shown = document.getElementById("receipt");
  const reading = document.hasFocus() && shown.contains(document.activeElement);
  shown.className = fresh.className;
  shown.replaceChildren(...fresh.childNodes);
  document.title = title;
  if (reading) begin();
  else document.getElementById("news").textContent = document.getElementById("outcome").textContent;
};

const look = async () => {
  const { refresh, state } = document.getElementById("receipt").dataset;
  try {
    const answer = await fetch(refresh, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("receipt");
    if (answer.ok && fresh && fresh.dataset.state !== state) return show(fresh, page.title);
  } catch {
    // no network just now: look again
  }
  if (--looks > 0) setTimeout(look, EVERY);
};

begin();
if (document.getElementById("receipt").dataset.refresh) setTimeout(look, EVERY);
