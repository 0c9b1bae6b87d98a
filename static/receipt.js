// Looks every other second whether the outcome is known, and then shows it in place. After five minutes it rests.
const EVERY = 2000;
let looks = 150;

const look = async () => {
  const shown = document.getElementById("receipt");
  try {
    const answer = await fetch(shown.dataset.refresh, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("receipt");
    if (answer.ok && fresh && fresh.dataset.state !== shown.dataset.state) {
      shown.className = fresh.className;
      shown.replaceChildren(...fresh.childNodes); // inside the live region, so that it is announced
      document.title = page.title;
      return;
    }
  } catch {
    // no network just now: look again
  }
  if (--looks > 0) setTimeout(look, EVERY);
};

setTimeout(look, EVERY);
