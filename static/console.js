// The embed builder: what is picked is shown at once, the snippet copied with a click. Without this, the button does it.
const builder = document.getElementById("builder");
builder?.addEventListener("change", () => builder.requestSubmit());

const copy = document.getElementById("copy-button");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("snippet").value);
    copy.textContent = copy.dataset.copied;
  });
}
