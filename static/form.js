// The form works without this script, which moves focus to the errors, prevents double submissions, and keeps what was
// typed where there is no network, and when the visitor changes the language.
const { src, dataset } = document.currentScript;

for (const form of document.forms) {
  const button = form.querySelector("button");
  const label = button.textContent;
  const notice = document.createElement("p");
  notice.className = "fault";
  notice.setAttribute("role", "alert");
  notice.textContent = dataset.offline;

  const ready = () => {
    button.disabled = false;
    button.textContent = label;
  };

  form.addEventListener("submit", async (event) => {
    if (event.submitter?.name) return; // it is only shown in another language
    notice.remove();
    button.disabled = true;
    button.textContent = button.dataset.sending;
    setTimeout(ready, 10000); // not for ever: the answer may never come
    if (navigator.onLine) return;
    event.preventDefault(); // the browser's error page would take the form's place
    try {
      await fetch(src, { method: "HEAD", cache: "no-store" }); // some browsers are mistaken
      form.submit();
    } catch {
      ready();
      button.before(notice);
      button.focus();
    }
  });
  addEventListener("pageshow", ready); // also when the visitor comes back
}

const form = document.querySelector("form[novalidate]");
const isFilled = (input) =>
  ["checkbox", "radio"].includes(input.type) ? input.checked !== input.defaultChecked : input.type !== "hidden" && input.value;

// A link to the form in another language posts what is filled in.
for (const link of document.querySelectorAll(".bar [hreflang]")) {
  link.addEventListener("click", (event) => {
    if (!form || ![...form.querySelectorAll("input, select, textarea")].some(isFilled)) return;
    event.preventDefault();
    if (!navigator.onLine) return; // the browser's error page would take the form's place
    const button = document.createElement("button");
    button.hidden = true;
    button.name = "switch-language";
    button.value = form.querySelector("[aria-invalid]") ? "with-errors" : "as-is";
    button.formAction = (form.getAttribute("action") ?? "").split("?")[0] + link.search;
    form.append(button);
    form.requestSubmit(button);
  });
}

// In a frame the page around it scrolls: see frame.js.
document.getElementById("alert")?.focus({ preventScroll: parent !== window });
