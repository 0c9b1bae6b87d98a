// The live list: asks every second and a half for new calls to the CRM, and puts them on top.
const list = document.getElementById("calls");
const template = document.getElementById("call").content.firstElementChild;
const received = `/demo/received?lang=${document.documentElement.lang}`;
const buttons = document.querySelectorAll("button[name=mood]");

const newest = () => Number(list.firstElementChild?.dataset.number ?? 0);

const tag = ([name, value]) => {
  const item = document.createElement("li");
  const strong = document.createElement("b");
  strong.textContent = value;
  item.append(`${name} `, strong);
  return item;
};

const show = (call) => {
  const item = template.cloneNode(true);
  for (const part of ["label", "person", "path", "at"]) {
    item.querySelector(`[data-${part}]`).textContent = call[part];
  }
  item.querySelector("[data-status]").textContent = call.status ?? "";
  item.querySelector(".tags").append(...call.tags.map(tag));
  item.dataset.number = call.number;
  item.dataset.well = call.status && call.status < 300 ? "yes" : "no";
  item.classList.add("new");
  list.prepend(item);
};

const markMood = (mood) => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.value === mood)));

const poll = async () => {
  try {
    const { mood, calls } = await (await fetch(received)).json();
    if (calls.length && calls[0].number < newest()) list.replaceChildren(); // the CRM was restarted
    calls.filter((call) => call.number > newest()).reverse().forEach(show);
    document.querySelector(".none").hidden = list.children.length > 0;
    markMood(mood);
  } catch {
    // the server is unavailable: try again
  }
  setTimeout(poll, 1500);
};

document.querySelector("form.choices").addEventListener("submit", (event) => {
  event.preventDefault(); // so that what was typed in the frames stays
  const { action } = event.currentTarget;
  markMood(event.submitter.value);
  fetch(action, { method: "POST", body: new URLSearchParams({ mood: event.submitter.value }), redirect: "manual" });
});

poll();
