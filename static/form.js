// The form works without this script, which moves focus to the errors and prevents double submissions.
for (const form of document.forms) {
  const button = form.querySelector("button");
  const label = button.textContent;

  const ready = () => {
    button.disabled = false;
    button.textContent = label;
  };

  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = button.dataset.sending;
    setTimeout(ready, 10000); // not for ever: the answer may never come
  });
  addEventListener("pageshow", ready); // also when the visitor comes back
}

// In a frame the page around it scrolls: see frame.js.
document.getElementById("alert")?.focus({ preventScroll: parent !== window });
