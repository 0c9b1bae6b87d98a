// Intresse: a firm's forms on its own pages. How to use it: docs/embedding.md
(() => {
  const script = document.currentScript;
  const OURS = Symbol.for("intresse"); // by name, the page may have an element or something else of its own
  if (window[OURS]) {
    window[OURS].scan(); // a second script element finds what is new, and that is all
    return;
  }
  if (!script || !script.src) {
    console.error("Intresse: embed.js needs a script element of its own, with src");
    return;
  }
  const SERVICE = new URL(script.src).origin;
  const TITLES = {}; // by language and form; filled in by the service
  const CLICK_IDS = []; // filled in by the service
  // Each form's addresses: the first whose attributes are all there.
  const PATHS = {
    interest: ["interest/{estate}"],
    viewing: ["viewing/{viewing}/{slot}", "viewing/{estate}"],
    valuation: ["valuation"],
    "final-price": ["final-price/{estate}"],
  };
  const QUERY = { viewing: ["title", "lang", "estate", "slots"] };
  // About as tall as the empty form at these widths: reserved until the frame tells, so that little moves.
  const WIDTHS = [380, 460];
  const HEIGHTS = {
    interest: [1217, 1148, 1091],
    viewing: [1245, 1176, 1119],
    valuation: [1509, 1386, 1328],
    "final-price": [1040, 940, 859],
  };
  const LINES = { title: 31, times: 45, time: [78, 54, 54] };
  const OPEN_TIMES = 3; // of a home, as a guess
  // 36rem of the frame's own; important, because pages have rules for all their iframes.
  const STYLE = {
    display: "block", position: "static", float: "none", flex: "none", "box-sizing": "content-box",
    width: "576px", "min-width": "200px", "max-width": "100%", "min-height": 0, "max-height": "none", "aspect-ratio": "auto",
    margin: "0 auto", padding: 0, border: 0,
  };
  const TO_LOAD = 10000; // milliseconds in which a frame in view begins to load
  const TO_ANSWER = 1500; // and then answers
  const REASONS = {
    attributes: "data-intresse is interest, viewing, valuation or final-price; all need data-customer, interest and final-price data-estate, a viewing data-estate, or data-viewing and data-slot. An intresse-form has form, customer, and so on.",
    csp: `This page's Content-Security-Policy forbids the frame: add ${SERVICE} to frame-src.`,
    blocked: `The frame was refused or had no answer from ${SERVICE}: a blocker, a sandbox, this page's COEP, or a proxy.`,
  };
  const LONGEST = 500;
  const STORED = "intresse.tags";

  const embeds = new WeakMap(); // by element: what is shown in it
  const connected = new Set(); // the elements <intresse-form>, also those that no selector finds, in shadow trees
  const elements = () => [...document.querySelectorAll("[data-intresse]"), ...connected];

  // A div says it in data attributes, an <intresse-form> in attributes.
  const saidBy = (element) => {
    if (element.hasAttribute("data-intresse")) return element.dataset;
    const said = {};
    for (const { name, value } of element.attributes) said[name] = value;
    return { ...said, intresse: said.form };
  };

  const tell = (element, name, detail) =>
    element.dispatchEvent(new CustomEvent(`intresse:${name}`, { bubbles: true, composed: true, detail }));

  const plain = (text) => {
    const spaced = text.replace(/\+/g, " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return unescape(spaced); // not in UTF-8
    }
  };
  const pairsIn = (query) =>
    query.split("&").map((pair) => [pair.split("=")[0], pair.replace(/^[^=]*=?/, "")].map(plain));
  const tagsIn = (pairs) =>
    pairs
      .map(([name, value]) => [name.toLowerCase().replace(/^(amp;)+|\[\d*\]$/g, ""), value])
      .filter(([name, value]) => value && (/^utm_./.test(name) || CLICK_IDS.includes(name)));
  const tagsOf = (address) => {
    const { search, hash } = new URL(address);
    return tagsIn([...pairsIn(search.slice(1)), ...pairsIn(hash.replace(/^#([^?]*\?)?/, ""))]);
  };
  // The address that the visitor came by: other scripts take its tags away, all of them or some.
  const arrived = tagsOf(performance.getEntriesByType("navigation")[0]?.name || location.href);
  const whole = (tags) =>
    tags.every(([name, value]) => arrived.some((tag) => tag[0] === name && tag[1] === value)) ? arrived : tags;
  const landed = whole(tagsOf(location.href)); // a single-page site may show the form at another address
  const pageTags = () => {
    const tags = tagsOf(location.href);
    return tags.length ? whole(tags) : landed;
  };

  // The first tags of the visit. Only where the site asks for it: storage needs the visitor's consent.
  const remembered = (asked) => {
    if (asked !== "session") return [];
    try {
      const first = sessionStorage.getItem(STORED);
      if (first) return tagsIn(pairsIn(first));
      if (landed.length) sessionStorage.setItem(STORED, new URLSearchParams(landed));
    } catch {
      // storage is closed
    }
    return [];
  };

  remembered(script.dataset.remember); // also on a page without a form

  const tagsFor = (element) => {
    const stored = remembered(saidBy(element).remember || script.dataset.remember);
    const page = pageTags();
    const own = [...element.attributes].map(({ name, value }) => [name.replace(/^data-/, "").replace(/-/g, "_"), value]);
    const tags = new Map();
    for (const [name, value] of [...tagsIn(own), ...(page.length ? page : stored)])
      if (!tags.has(name)) tags.set(name, value);
    return tags;
  };

  let themes = new WeakMap(); // by element, until something changes that may turn a page dark
  // As the page around it looks; "" where that is the visitor's own choice.
  const findTheme = (element) => {
    const asked = saidBy(element).theme || script.dataset.theme;
    if (/^(light|dark|auto)$/.test(asked)) return asked.replace("auto", "");
    const own = getComputedStyle(element).colorScheme;
    const schemes = own && own !== "normal" ? own : document.querySelector("meta[name=color-scheme]")?.content;
    if (!/\bdark\b/.test(schemes)) return "light";
    return /\blight\b/.test(schemes) ? "" : "dark";
  };
  const themeOf = (element) => themes.get(element) ?? themes.set(element, findTheme(element)).get(element);

  // What the element asks for, without what the page adds; null when it doesn't say enough.
  const addressOf = (element) => {
    const { intresse, customer, ...said } = { ...saidBy(element) };
    said.slot ||= (said.slots || "").trim().split("@")[0];
    const paths = Object.hasOwn(PATHS, intresse) && customer ? PATHS[intresse] : [];
    const path = paths.find((path) => path.match(/\w+(?=})/g)?.every((name) => said[name]) ?? true);
    if (!path) return null;
    const ids = path.replace(/{(\w+)}/g, (_, name) => encodeURIComponent(said[name]));
    const url = new URL(`/forms/${encodeURIComponent(customer)}/${ids}`, SERVICE);
    said.theme = themeOf(element);
    for (const name of [...(QUERY[intresse] || ["title", "lang"]), "theme"])
      if (said[name]) url.searchParams.set(name, said[name]);
    return url;
  };

  const titleOf = (element) => {
    const { intresse, title } = saidBy(element);
    const language = element.closest("[lang]")?.lang.slice(0, 2).toLowerCase() || "sv";
    const words = (TITLES[language] || TITLES.en)[intresse];
    return title ? `${words} – ${title}` : words;
  };

  // The link to the form's own page carries what the frame would have.
  const link = (element, embed) => {
    const { url } = embed;
    if (!element.textContent.trim()) {
      embed.made = document.createElement("a");
      embed.made.href = url.origin + url.pathname;
      embed.made.textContent = titleOf(element);
      element.append(embed.made);
    }
    for (const own of element.querySelectorAll("a[href]")) {
      if (own.origin !== SERVICE) continue;
      const address = new URL(own.href);
      for (const [name, value] of url.searchParams)
        if (name !== "theme" && !address.searchParams.has(name)) address.searchParams.set(name, value);
      own.href = address;
    }
  };

  const fail = (element, reason, text = REASONS[reason]) => {
    const embed = embeds.get(element);
    if (embed.failed) return;
    embed.failed = true;
    element.replaceChildren(...embed.own);
    if (embed.url) link(element, embed);
    console.error(`Intresse: the form can't be shown. ${text} See ${SERVICE}/embed/check`, element);
    tell(element, "error", { form: embed.form, reason });
  };

  // A frame that says nothing was refused, by whomever, or is a page of somebody else's.
  const ask = async (element, embed) => {
    if (!element.isConnected) return; // put back, it is loaded again
    const { timer } = embed; // another one once it was loaded again
    const refuse = (...why) =>
      embed.ready || embed.timer !== timer || !element.isConnected || embeds.get(element) !== embed || fail(element, ...why);
    setTimeout(refuse, 2 * TO_ANSWER, "blocked");
    const query = new URLSearchParams({ customer: saidBy(element).customer, origin: location.origin, lang: "en" });
    try {
      const { ok, reason, advice } = await (await fetch(`${SERVICE}/embed/check?${query}`)).json();
      if (!ok && (reason !== "no-origin" || location.protocol === "file:")) refuse(reason, advice);
    } catch {
      // no answer, or somebody else's
    }
    refuse("blocked");
  };

  const inView = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (!isIntersecting) continue;
      inView.unobserve(target);
      const embed = embeds.get(target);
      setTimeout(() => embed.loaded || document.hidden || ask(target, embed), TO_LOAD);
    }
  });

  const reserved = (element) => {
    const { intresse, viewing, slots, title } = saidBy(element);
    const wide = WIDTHS.filter((width) => element.clientWidth >= width).length;
    const told = viewing ? (slots || "").split("@").length - 1 : OPEN_TIMES;
    const times = intresse === "viewing" ? told : 0;
    const more = (title ? LINES.title : 0) + (times ? LINES.times + times * LINES.time[wide] : 0);
    return HEIGHTS[intresse][wide] + more;
  };

  const style = (frame, name, value) => frame.style.setProperty(name, value, "important");
  const say = ({ frame }, type) => frame.contentWindow.postMessage({ type: `intresse:${type}` }, SERVICE);

  const mount = (element) => {
    const url = addressOf(element);
    const key = String(url);
    const before = embeds.get(element);
    const shown = before?.frame && element.contains(before.frame);
    if (before?.key === key && (before.failed || shown)) return;
    if (shown && before.holds && url) {
      const another = url.pathname !== before.url.pathname;
      if (!another) return; // in other words or colours: not worth what was typed, or the receipt
      if (before.holds === "typed") {
        if (before.asked !== key) say(before, "moved"); // the visitor decides
        before.asked = key;
        return;
      }
    }
    const form = saidBy(element).intresse;
    const own = shown ? before.own : [...element.childNodes].filter((node) => node !== before?.made);
    const tries = before?.key === key && !before.told.size ? before.tries + 1 : 0;
    const embed = { key, url, form, own, tries, told: new Set() };
    embeds.set(element, embed);
    if (!url) return fail(element, "attributes");

    for (const [name, value] of tagsFor(element)) url.searchParams.set(name, value.slice(0, LONGEST));
    if (/^http/.test(location.origin)) url.searchParams.set("referrer", location.origin + location.pathname);
    if (tries > 2) return fail(element, "blocked"); // something takes it out again and again
    const frame = document.createElement("iframe");
    frame.title = titleOf(element);
    frame.loading = "lazy";
    frame.allow = "";
    frame.referrerPolicy = "strict-origin";
    for (const [name, value] of Object.entries(STYLE)) style(frame, name, value);
    if (getComputedStyle(element).display === "inline") element.style.display = "block"; // else it has no width
    style(frame, "height", `${reserved(element)}px`);
    style(frame, "color-scheme", url.searchParams.get("theme") || "light dark");
    const loaded = () => {
      Object.assign(embed, { loaded: true, ready: false, holds: "" });
      say(embed, "hello");
      clearTimeout(embed.timer);
      embed.timer = setTimeout(ask, TO_ANSWER, element, embed);
    };
    frame.addEventListener("load", loaded);
    frame.addEventListener("error", loaded);
    frame.src = url;
    embed.frame = frame;
    element.replaceChildren(frame);
    inView.observe(element);
  };

  // While the page is being read, an element's own content may still be on its way.
  const isRead = (node) => document.readyState !== "loading" || (node && (node.nextSibling || isRead(node.parentNode)));
  const scan = () => elements().filter(isRead).forEach(mount);
  const scanAnew = () => {
    themes = new WeakMap();
    scan();
  };

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
      embed.ready = true;
      if (embed.told.has("ready")) return;
      embed.told.add("ready");
      tell(element, "ready", { form: embed.form });
    },
    height(element, embed, { height }) {
      if (!(height > 0 && height < 1e5)) return;
      style(embed.frame, "height", `${height}px`);
      tell(element, "height", { form: embed.form, height });
    },
    typed(element, embed) {
      embed.holds = "typed";
    },
    // The visitor would rather have the form that the page asks for now.
    left(element, embed) {
      embed.holds = "";
      mount(element);
    },
    submitted(element, embed, { form, reference, status }) {
      embed.holds = "receipt";
      embed.key = String(addressOf(element)); // what the page asked for meanwhile does not take the receipt away
      if (embed.told.has(reference)) return; // once, also when the receipt is loaded again
      embed.told.add(reference);
      tell(element, "submitted", { form, reference, status });
      show(element);
    },
    error(element, embed, { form }) {
      if (form) embed.holds = "typed";
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

  window[OURS] = { scan };
  if (!Object.hasOwn(window, "intresse")) window.intresse = window[OURS];
  const asked = ["intresse", "customer", "estate", "viewing", "slot", "slots", "title", "lang", "theme"];
  new MutationObserver(scan).observe(document, { childList: true, subtree: true });
  const attributeFilter = asked.map((name) => `data-${name}`);
  const changes = new MutationObserver(scanAnew);
  changes.observe(document, { subtree: true, attributeFilter });
  try {
    customElements.define("intresse-form", class extends HTMLElement {
      connectedCallback() {
        connected.add(this);
        changes.observe(this, { attributes: true });
        queueMicrotask(scanAnew); // when whoever made it has said all
      }
      disconnectedCallback() {
        connected.delete(this);
      }
    });
  } catch {
    // a browser without custom elements, or the name is somebody else's
  }
  scan();
  // A site that is dark, or turns so, says it in its styles, or by a mark of one of these.
  for (const root of [document.documentElement, document.body])
    if (root) new MutationObserver(scanAnew).observe(root, { attributes: true });
  document.addEventListener("DOMContentLoaded", scan);
  addEventListener("load", scanAnew);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", scanAnew);
})();
