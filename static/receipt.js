// Moves focus to the heading, and checks every two seconds whether the outcome is known, for five minutes at most.
const EVERY = 2000;
let checks = 150;

const begin = () => document.getElementById("outcome").focus({ preventScroll: parent !== window }); // see frame.js

// A change is announced once: by the heading if it still has focus, otherwise by the status beside it.
const show = (fresh, title) => {
  const shown = document.getElementById("receipt");
  const reading = document.hasFocus() && shown.contains(document.activeElement);
  shown.className = fresh.className;
  shown.replaceChildren(...fresh.childNodes);
  document.title = title;
  if (reading) begin();
  else document.getElementById("news").textContent = document.getElementById("outcome").textContent;
};

const check = async () => {
  const { refresh, state } = document.getElementById("receipt").dataset;
  try {
    const answer = await fetch(refresh, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("receipt");
    if (answer.ok && fresh && fresh.dataset.state !== state) return show(fresh, page.title);
  } catch {
    // no network: try again
  }
  if (--checks > 0) setTimeout(check, EVERY);
};

begin();
if (document.getElementById("receipt").dataset.refresh) setTimeout(check, EVERY);
