// Intresse: a firm's forms on its own pages. How to use it: docs/embedding.md
(() => {
  const script = document.currentScript;
  if (window.intresse) {
    window.intresse.scan(); // a second script element finds what is new, and that is all
    return;
  }
  if (!script || !script.src) {
    console.error("Intresse: embed.js needs a script element of its own, with src");
    return;
  }
  const SERVICE = new URL(script.src).origin;
  const TITLES = {}; // by language and form; filled in by the service
  const PATHS = {
    interest: ({ customer, estate }) => ["forms", customer, "interest", estate],
    viewing: ({ customer, viewing, slot, slots }) =>
      ["forms", customer, "viewing", viewing, slot || (slots || "").trim().split("@")[0]],
  };
  // About as tall as the empty form at these widths: reserved until the frame tells, so that little moves.
  const WIDTHS = [380, 460];
  const HEIGHTS = { interest: [1217, 1148, 1091], viewing: [1245, 1176, 1119] };
  const LINES = { title: 31, times: 45, time: [78, 54, 54] };
  const REASONS = {
    attributes: "data-intresse is interest or viewing; data-customer and data-estate are needed for an interest, data-customer, data-viewing and data-slot for a viewing.",
    csp: `This page's Content-Security-Policy forbids the frame: add ${SERVICE} to frame-src.`,
    unreachable: `No answer from ${SERVICE}.`,
  };
  const TAG = /^(utm_.+|gclid|fbclid|msclkid)$/i; // nothing else of the page's query is passed on
  const LONGEST = 500;
  const STORED = "intresse.tags";

  const embeds = new WeakMap(); // by element: what is shown in it
  const elements = () => [...document.querySelectorAll("[data-intresse]")];

  const tell = (element, name, detail) =>
    element.dispatchEvent(new CustomEvent(`intresse:${name}`, { bubbles: true, detail }));

  const tagsIn = (pairs) =>
    [...pairs].filter(([name, value]) => TAG.test(name) && value).map(([name, value]) => [name.toLowerCase(), value]);
  const pageTags = () => tagsIn(new URLSearchParams(location.search));
  const landed = pageTags(); // a single-page site may show the form at another address

  // The first tags of the visit. Only where the site asks for it: storage needs the visitor's consent.
  const remembered = (asked) => {
    if (asked !== "session") return [];
    try {
      const first = sessionStorage.getItem(STORED);
      if (first) return tagsIn(JSON.parse(first));
      if (landed.length) sessionStorage.setItem(STORED, JSON.stringify(landed));
    } catch {
      // storage is closed, or holds something else
    }
    return [];
  };

  remembered(script.dataset.remember); // also on a page without a form

  const tagsFor = (element) => {
    const stored = remembered(element.dataset.remember || script.dataset.remember);
    const found = [pageTags(), landed, stored].find((tags) => tags.length) || [];
    const own = [...element.attributes]
      .filter(({ name }) => name.startsWith("data-"))
      .map(({ name, value }) => [name.slice(5).replace(/-/g, "_"), value]);
    const tags = new Map();
    for (const [name, value] of [...tagsIn(own), ...found]) if (!tags.has(name)) tags.set(name, value);
    return tags;
  };

  // What the element asks for, without what the page adds; null when it doesn't say enough.
  const addressOf = ({ dataset }) => {
    const path = Object.hasOwn(PATHS, dataset.intresse) ? PATHS[dataset.intresse](dataset) : [""];
    if (!path.every(Boolean)) return null;
    const url = new URL(`/${path.map(encodeURIComponent).join("/")}`, SERVICE);
    const asked = dataset.intresse === "viewing" ? ["title", "lang", "estate", "slots"] : ["title", "lang"];
    for (const name of asked) if (dataset[name]) url.searchParams.set(name, dataset[name]);
    return url;
  };

  const titleOf = (element) => {
    const { intresse, title } = element.dataset;
    const language = element.closest("[lang]")?.lang.slice(0, 2).toLowerCase() || "sv";
    const words = (TITLES[language] || TITLES.en)[intresse];
    return title ? `${words} – ${title}` : words;
  };

  const fail = (element, reason, text = REASONS[reason]) => {
    const embed = embeds.get(element);
    if (embed.failed) return;
    embed.failed = true;
    element.replaceChildren(...embed.own);
    console.error(`Intresse: the form can't be shown. ${text} See ${SERVICE}/embed/check`, element);
    tell(element, "error", { form: embed.form, reason });
  };

  // A frame that loads and says nothing was refused by its browser, or is a page of somebody else's.
  const ask = async (element, embed) => {
    const refuse = (...why) => embed.ready || embeds.get(element) !== embed || fail(element, ...why);
    const query = new URLSearchParams({ customer: element.dataset.customer, origin: location.origin, lang: "en" });
    try {
      const { ok, reason, advice } = await (await fetch(`${SERVICE}/embed/check?${query}`)).json();
      if (!ok) refuse(reason, advice);
    } catch {
      refuse("unreachable");
    }
  };

  const reserved = ({ dataset, clientWidth }) => {
    const wide = WIDTHS.filter((width) => clientWidth >= width).length;
    const times = dataset.intresse === "viewing" ? (dataset.slots || "").split("@").length - 1 : 0;
    const more = (dataset.title ? LINES.title : 0) + (times ? LINES.times + times * LINES.time[wide] : 0);
    return HEIGHTS[dataset.intresse][wide] + more;
  };

  const mount = (element) => {
    const url = addressOf(element);
    const key = String(url);
    const before = embeds.get(element);
    if (before && before.key === key && (before.failed || element.contains(before.frame))) return;
    const form = element.dataset.intresse;
    const own = before?.frame && element.contains(before.frame) ? before.own : [...element.childNodes];
    const embed = { key, form, own, told: new Set() };
    embeds.set(element, embed);
    if (!url) return fail(element, "attributes");

    for (const [name, value] of tagsFor(element)) url.searchParams.set(name, value.slice(0, LONGEST));
    if (/^http/.test(location.origin)) url.searchParams.set("referrer", location.origin + location.pathname);
    const frame = document.createElement("iframe");
    frame.title = titleOf(element);
    frame.loading = "lazy";
    frame.allow = "";
    frame.referrerPolicy = "strict-origin";
    frame.style.cssText = `display:block;width:100%;border:0;height:${reserved(element)}px`;
    frame.addEventListener("load", () => {
      frame.contentWindow.postMessage({ type: "intresse:hello" }, SERVICE);
      embed.timer = setTimeout(ask, 1500, element, embed);
    });
    frame.src = url;
    embed.frame = frame;
    element.replaceChildren(frame);
  };

  const scan = () => elements().forEach(mount);

  // After a fault and at the receipt the visitor sees the form's beginning, not the middle of it.
  const show = (element) => {
    const { top } = element.getBoundingClientRect();
    if (top >= 0 && top < innerHeight / 2) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  };

  const hear = {
    ready(element, embed) {
      clearTimeout(embed.timer);
      if (!embed.ready) tell(element, "ready", { form: embed.form });
      embed.ready = true;
    },
    height(element, embed, { height }) {
      if (height > 0 && height < 1e5) embed.frame.style.height = `${height}px`;
    },
    submitted(element, embed, { form, reference, status }) {
      if (embed.told.has(reference)) return; // once, also when the receipt is loaded again
      embed.told.add(reference);
      tell(element, "submitted", { form, reference, status });
      show(element);
    },
    error(element, embed, { form }) {
      tell(element, "error", { form, reason: "form" });
      show(element);
    },
  };

  addEventListener("message", ({ source, origin, data }) => {
    if (origin !== SERVICE || !source || typeof data?.type !== "string") return;
    const element = elements().find((one) => embeds.get(one)?.frame?.contentWindow === source);
    const [ours, name] = data.type.split(":");
    if (element && ours === "intresse" && Object.hasOwn(hear, name)) hear[name](element, embeds.get(element), data);
  });

  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, disposition }) => {
    if (disposition !== "enforce" || effectiveDirective !== "frame-src" || !`${blockedURI}/`.startsWith(`${SERVICE}/`)) return;
    elements().filter((one) => embeds.get(one)?.frame && !embeds.get(one).ready).forEach((one) => fail(one, "csp"));
  });

  window.intresse = { scan };
  scan();
  const asked = ["intresse", "customer", "estate", "viewing", "slot", "slots", "title"].map((name) => `data-${name}`);
  new MutationObserver(scan).observe(document, { childList: true, subtree: true, attributeFilter: asked });
})();
