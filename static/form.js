// The form works without this. It leads to what is wrong, and keeps one press from becoming two.
for (const form of document.forms) {
  const button = form.querySelector("button");
  const says = button.textContent;

  const ready = () => {
    button.disabled = false;
    button.textContent = says;
  };

  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = button.dataset.sending;
    setTimeout(ready, 10000); // never for good: the answer may not come
  });
  addEventListener("pageshow", ready); // also when the visitor comes back
}

// In a frame the page around it scrolls: see frame.js.
document.getElementById("alert")?.focus({ preventScroll: parent !== window });
