// The form works without this script, which moves focus to the errors, prevents double submissions, and keeps what was
// typed where there is no network.
const { src, dataset } = document.currentScript;

for (const form of document.forms) {
  const button = form.querySelector("button");
  if (!button) continue; // a form without open times
  const label = button.textContent;
  const notice = document.createElement("p");
  notice.className = "fault";
  notice.setAttribute("role", "alert");
  notice.textContent = dataset.offline;

  let reached = false; // the service, just now
  const ready = () => {
    reached = false;
    button.disabled = false;
    button.textContent = label;
  };

  form.addEventListener("submit", async (event) => {
    const { submitter } = event;
    notice.remove();
    const sends = !submitter?.name; // and does not only show the form in another language
    if (sends) {
      button.disabled = true;
      button.textContent = button.dataset.sending;
      setTimeout(ready, 10000); // not for ever: the answer may never come
    }
    if (navigator.onLine || reached) return;
    event.preventDefault(); // the browser's error page would take the form's place
    try {
      await fetch(src, { method: "HEAD", cache: "no-store" }); // some browsers are mistaken
      reached = true;
      form.requestSubmit(submitter);
    } catch {
      ready();
      button.before(notice);
      button.focus();
    }
  });
  addEventListener("pageshow", ready); // also when the visitor comes back
}

// In a frame the page around it scrolls: see frame.js.
document.getElementById("alert")?.focus({ preventScroll: parent !== window });
