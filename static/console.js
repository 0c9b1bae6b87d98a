// The embed builder: a selection updates the preview at once, and a button copies the snippet. Typed text waits for the
// Show button, as everything does without this script.
const builder = document.getElementById("builder");
builder?.addEventListener("change", ({ target }) => {
  if (target.matches("select, [type=color]")) builder.requestSubmit();
});

const copy = document.getElementById("copy-button");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("snippet").value);
    copy.textContent = copy.dataset.copied;
  });
}
