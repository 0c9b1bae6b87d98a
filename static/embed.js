// Intresse: a firm's forms on its own pages. How to use it: docs/embedding.md
(() => {
  // A module is not told which script it is.
  const script = document.currentScript || document.querySelector("script[type=module][src*='/embed.js']");
  const OURS = Symbol.for("intresse"); // a symbol, because the page may have something else by our name
  if (window[OURS]) {
    window[OURS].scan(); // a second script element only shows new forms
    return;
  }
  if (!script?.src) {
    console.error("Intresse: embed.js needs a script with src");
    return;
  }
  const SERVICE = new URL(script.src).origin;
  const TITLES = {}; // by language and form; filled in by the service
  const CLICK_IDS = []; // filled in by the service
  const PATHS = {}; // by form, the first whose attributes are all given; filled in by the service
  const QUERY = { viewing: ["title", "lang", "estate", "slots"] };
  // About as tall as the empty form at these widths: reserved until the frame sends its own, so that little moves.
  const WIDTHS = [380, 460];
  const HEIGHTS = {
    interest: [1226, 1148, 1091],
    viewing: [1254, 1176, 1119],
    valuation: [1518, 1386, 1328],
    "final-price": [1049, 940, 859],
  };
  const LINES = { title: 31, times: 45, time: [78, 54, 54] };
  const OPEN_TIMES = 3; // of a home: a guess
  // 36rem in the frame's own units; set with !important, because pages have rules for all their iframes.
  const STYLE = {
    display: "block", position: "static", float: "none", flex: "none", "box-sizing": "content-box",
    width: "576px", "min-width": "200px", "max-width": "100%", "min-height": 0, "max-height": "none", "aspect-ratio": "auto",
    margin: "0 auto", padding: 0, border: 0, visibility: "inherit", opacity: 1,
  };
  const TO_LOAD = 10000; // milliseconds within which a frame in view must load
  const TO_ANSWER = 1500; // milliseconds within which it must then answer
  const REASONS = {
    attributes: `data-intresse is one of ${Object.keys(PATHS)}, with data-customer, and data-estate or data-viewing and data-slot. An intresse-form has them without data-.`,
    csp: `This page's Content-Security-Policy forbids the frame: add ${SERVICE} to frame-src.`,
    blocked: `No answer from ${SERVICE}: unknown id, blocker, sandbox, COEP, frame around this page, or proxy.`,
  };
  const LONGEST = 500;
  const STORED = "intresse.tags";

  const embeds = new WeakMap(); // by element: what is shown in it
  const connected = new Set(); // the elements <intresse-form>, including those in shadow trees, which no selector finds
  const elements = () => [...document.querySelectorAll("[data-intresse]"), ...connected];

  // A div has data attributes, an <intresse-form> plain ones. Templates leave spaces around values.
  const attributesOf = (element) => {
    const prefix = element.hasAttribute("data-intresse") ? "data-" : "";
    const values = {};
    for (const { name, value } of element.attributes)
      if (name.startsWith(prefix)) values[name.slice(prefix.length)] = value.trim();
    return prefix ? values : { ...values, intresse: values.form };
  };

  const dispatch = (element, name, detail) =>
    element.dispatchEvent(new CustomEvent(`intresse:${name}`, { bubbles: true, composed: true, detail }));

  const decode = (text) => {
    const spaced = text.replace(/\+/g, " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return unescape(spaced); // not in UTF-8
    }
  };
  const pairsIn = (query) =>
    query.split(/&|\?(?=utm_)/i).map((pair) => [pair.split("=")[0], pair.replace(/^[^=]*=?/, "")].map(decode));
  const tagsIn = (pairs) =>
    pairs
      .map(([name, value]) => [name.trim().toLowerCase().replace(/^(amp;|data_)+|\[\d*\]$/g, ""), value])
      .filter(([name, value]) => value && (/^utm_./.test(name) || CLICK_IDS.includes(name)));
  const tagsOf = (address) => {
    const { search, hash } = new URL(address);
    return tagsIn([...pairsIn(search.slice(1)), ...pairsIn(hash.replace(/^#([^?]*\?)?/, ""))]);
  };
  // From the address that the visitor arrived at: other scripts remove some or all of its tags.
  const navigationTags = tagsOf(performance.getEntriesByType("navigation")[0]?.name || location.href);
  const restore = (tags) =>
    tags.every(([name, value]) => navigationTags.some((tag) => tag[0] === name && tag[1] === value)) ? navigationTags : tags;
  const initialTags = restore(tagsOf(location.href)); // a single-page site may show the form at another address
  const pageTags = () => {
    const tags = tagsOf(location.href);
    return tags.length ? restore(tags) : initialTags;
  };

  // The first tags of the visit. Only where the site asks for it: storage needs the visitor's consent.
  const rememberedTags = (remember) => {
    if (remember !== "session") return [];
    try {
      const first = sessionStorage.getItem(STORED);
      if (first) return tagsIn(pairsIn(first));
      if (initialTags.length) sessionStorage.setItem(STORED, new URLSearchParams(initialTags));
    } catch {
      // storage is closed
    }
    return [];
  };

  rememberedTags(script.dataset.remember); // also on a page without a form

  const tagsFor = (element) => {
    const stored = rememberedTags(attributesOf(element).remember || script.dataset.remember);
    const page = pageTags();
    const own = Object.entries(attributesOf(element)).map(([name, value]) => [name.replace(/-/g, "_"), value]);
    const tags = new Map();
    for (const [name, value] of [...tagsIn(own), ...(page.length ? page : stored)])
      if (!tags.has(name)) tags.set(name, value);
    return tags;
  };

  let themes = new WeakMap(); // by element, until something changes that may turn a page dark
  // The theme of the page around it; "" where the visitor's own setting decides.
  const findTheme = (element) => {
    const theme = attributesOf(element).theme || script.dataset.theme;
    if (/^(light|dark|auto)$/.test(theme)) return theme.replace("auto", "");
    const own = getComputedStyle(element).colorScheme;
    const schemes = own && own !== "normal" ? own : document.querySelector("meta[name=color-scheme]")?.content;
    if (!/\bdark\b/.test(schemes)) return "light";
    return /\blight\b/.test(schemes) ? "" : "dark";
  };
  const themeOf = (element) => themes.get(element) ?? themes.set(element, findTheme(element)).get(element);

  // What the element asks for, without what the page adds; null when an attribute is missing.
  const addressOf = (element) => {
    const { intresse, customer, ...values } = attributesOf(element);
    values.slot ||= (values.slots || "").split("@")[0];
    const paths = Object.hasOwn(PATHS, intresse) && customer ? PATHS[intresse] : [];
    const path = paths.find((path) => path.match(/\w+(?=})/g)?.every((name) => values[name]) ?? true);
    if (!path) return null;
    const ids = path.replace(/{(\w+)}/g, (_, name) => encodeURIComponent(values[name]));
    const url = new URL(`/forms/${encodeURIComponent(customer)}/${ids}`, SERVICE);
    values.theme = themeOf(element);
    for (const name of [...(QUERY[intresse] || ["title", "lang"]), "theme"])
      if (values[name]) url.searchParams.set(name, values[name]);
    return url;
  };

  const titleOf = (element) => {
    const { intresse, title } = attributesOf(element);
    const language = element.closest("[lang]")?.lang.slice(0, 2).toLowerCase() || "sv";
    const heading = (TITLES[language] || TITLES.en)[intresse];
    return title ? `${heading} – ${title}` : heading;
  };

  // The link to the form's own page carries what the frame would have.
  const link = (element, embed) => {
    const { url } = embed;
    if (!element.textContent.trim()) {
      embed.link = document.createElement("a");
      embed.link.href = url.origin + url.pathname;
      embed.link.textContent = titleOf(element);
      element.append(embed.link);
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
    dispatch(element, "error", { form: embed.form, reason });
  };

  // A frame that sends nothing was refused by somebody, or shows another site's page.
  const checkAnswer = async (element, embed) => {
    if (!element.isConnected) return; // once it is back in the page, the frame loads again
    const { timer } = embed; // a new one if the frame is loaded again
    const refuse = (...why) =>
      embed.ready || embed.timer !== timer || !element.isConnected || embeds.get(element) !== embed || fail(element, ...why);
    setTimeout(refuse, 2 * TO_ANSWER, "blocked");
    const query = new URLSearchParams({ customer: attributesOf(element).customer, origin: location.origin, lang: "en" });
    try {
      const { ok, reason, advice } = await (await fetch(`${SERVICE}/embed/check?${query}`)).json();
      if (!ok && (reason !== "no-origin" || location.protocol === "file:")) refuse(reason, advice);
    } catch {
      // no answer, or not ours
    }
    refuse("blocked");
  };

  const visibility = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      visibility.unobserve(target);
      const embed = embeds.get(target);
      setTimeout(() => embed.loaded || document.hidden || checkAnswer(target, embed), TO_LOAD);
    }
  });

  const reservedHeight = (element) => {
    const { intresse, viewing, slots, title } = attributesOf(element);
    const wide = WIDTHS.filter((width) => element.clientWidth >= width).length;
    const offered = viewing ? (slots || "").split("@").length - 1 : OPEN_TIMES;
    const times = intresse === "viewing" ? offered : 0;
    const more = (title ? LINES.title : 0) + (times ? LINES.times + times * LINES.time[wide] : 0);
    return HEIGHTS[intresse][wide] + more;
  };

  const style = (frame, name, value) => frame.style.setProperty(name, value, "important");
  const post = ({ frame }, type) => frame.contentWindow.postMessage({ type: `intresse:${type}` }, SERVICE);

  const mount = (element) => {
    const url = addressOf(element);
    const key = String(url);
    const before = embeds.get(element);
    const shown = before?.frame && element.contains(before.frame);
    if (before?.key === key && (before.failed || shown)) return;
    if (shown && before.holds && url) {
      const another = url.pathname !== before.url.pathname;
      if (!another) return; // only the texts or colours would change: keep what was typed, or the receipt
      if (before.holds === "typed") {
        if (before.offered !== key) post(before, "moved"); // the visitor decides
        before.offered = key;
        return;
      }
    }
    const form = attributesOf(element).intresse;
    // Carousels and page caches copy an element with its frame, which is nothing of the page's own.
    const isOurs = (node) => node === before?.link || node.src?.startsWith(`${SERVICE}/forms/`);
    const own = shown ? before.own : [...element.childNodes].filter((node) => !isOurs(node));
    const tries = before?.key === key && !before.sent.size ? before.tries + 1 : 0;
    const embed = { key, url, form, own, tries, sent: new Set() };
    embeds.set(element, embed);
    if (!url) return fail(element, "attributes");

    for (const [name, value] of tagsFor(element)) url.searchParams.set(name, value.slice(0, LONGEST));
    if (/^http/.test(location.origin)) url.searchParams.set("referrer", location.origin + location.pathname);
    if (tries > 2) return fail(element, "blocked"); // some script keeps removing it
    const frame = document.createElement("iframe");
    frame.title = titleOf(element);
    frame.loading = "lazy";
    frame.allow = "";
    frame.referrerPolicy = "strict-origin";
    for (const [name, value] of Object.entries(STYLE)) style(frame, name, value);
    if (getComputedStyle(element).display === "inline") element.style.display = "block"; // else it has no width
    style(frame, "height", `${reservedHeight(element)}px`);
    style(frame, "color-scheme", url.searchParams.get("theme") || "light dark");
    const loaded = () => {
      Object.assign(embed, { loaded: true, ready: false, holds: "" });
      post(embed, "hello");
      clearTimeout(embed.timer);
      embed.timer = setTimeout(checkAnswer, TO_ANSWER, element, embed);
    };
    frame.addEventListener("load", loaded);
    frame.addEventListener("error", loaded);
    frame.src = url;
    embed.frame = frame;
    element.replaceChildren(frame);
    visibility.observe(element);
  };

  // While the page is being parsed, an element's own content may not have arrived yet.
  const isParsed = (node) => document.readyState !== "loading" || (node && (node.nextSibling || isParsed(node.parentNode)));
  const scan = () => {
    // A site switches to dark by its styles, or by an attribute of one of these. Single-page sites replace the body.
    for (const root of [document.documentElement, document.body]) if (root) changes.observe(root, { attributes: true });
    elements().filter(isParsed).forEach(mount);
  };
  const rescan = () => {
    themes = new WeakMap();
    scan();
  };

  // After an error and at the receipt, the visitor should see the top of the form.
  const scrollToTop = (element) => {
    const { top } = element.getBoundingClientRect();
    if (top >= 0 && top < innerHeight / 2) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  };

  const handlers = {
    ready(element, embed) {
      clearTimeout(embed.timer);
      embed.ready = true;
      if (embed.sent.has("ready")) return;
      embed.sent.add("ready");
      dispatch(element, "ready", { form: embed.form });
    },
    height(element, embed, { height }) {
      if (!(height > 0 && height < 1e5)) return;
      style(embed.frame, "height", `${height}px`);
      dispatch(element, "height", { form: embed.form, height });
    },
    typed(element, embed) {
      embed.holds = "typed";
    },
    // The visitor chose the form that the page asks for now.
    left(element, embed) {
      embed.holds = "";
      mount(element);
    },
    submitted(element, embed, { form, reference, status }) {
      embed.holds = "receipt";
      embed.key = String(addressOf(element)); // changes made to the element meanwhile must not remove the receipt
      if (embed.sent.has(reference)) return; // once, even if the receipt is loaded again
      embed.sent.add(reference);
      dispatch(element, "submitted", { form, reference, status });
      scrollToTop(element);
    },
    error(element, embed, { form }) {
      if (form) embed.holds = "typed";
      dispatch(element, "error", { form, reason: "form" });
      scrollToTop(element);
    },
  };

  addEventListener("message", ({ source, origin, data }) => {
    if (origin !== SERVICE || !source || typeof data?.type !== "string") return;
    const element = elements().find((candidate) => embeds.get(candidate)?.frame?.contentWindow === source);
    const [ours, name] = data.type.split(":");
    if (element && ours === "intresse" && Object.hasOwn(handlers, name)) handlers[name](element, embeds.get(element), data);
  });

  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, disposition }) => {
    if (disposition !== "enforce" || effectiveDirective !== "frame-src" || !`${blockedURI}/`.startsWith(`${SERVICE}/`)) return;
    for (const element of elements()) {
      const embed = embeds.get(element);
      if (embed?.frame && !embed.ready) fail(element, "csp");
    }
  });

  window[OURS] = { scan };
  if (!Object.hasOwn(window, "intresse")) window.intresse = window[OURS];
  const watched = ["intresse", "customer", "estate", "viewing", "slot", "slots", "title", "lang", "theme"];
  new MutationObserver(scan).observe(document, { childList: true, subtree: true });
  const attributeFilter = watched.map((name) => `data-${name}`);
  const changes = new MutationObserver(rescan);
  changes.observe(document, { subtree: true, attributeFilter });
  try {
    customElements.define("intresse-form", class extends HTMLElement {
      connectedCallback() {
        connected.add(this);
        changes.observe(this, { attributes: true });
        queueMicrotask(rescan); // when whoever made it has set all attributes
      }
      disconnectedCallback() {
        connected.delete(this);
      }
    });
  } catch {
    // a browser without custom elements, or the page has defined the name itself
  }
  scan();
  document.addEventListener("DOMContentLoaded", scan);
  addEventListener("load", rescan);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rescan);
})();
