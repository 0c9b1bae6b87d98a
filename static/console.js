// The embed builder: what is picked is shown at once, the snippet copied with a click. What is typed waits for the button,
// as everything does without this.
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
