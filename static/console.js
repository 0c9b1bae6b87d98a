// The embed builder: a button copies the snippet. A choice waits for the Show button, because who chooses by the arrow
// keys passes through others.
const copy = document.getElementById("copy-button");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("snippet").value);
    copy.textContent = copy.dataset.copied;
  });
}
