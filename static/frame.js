// Inside an embed: tells the page around it how tall the form is and what became of it; never who the visitor is.
// The page speaks first, and is answered only if it is our parent and on an origin of the customer's.
{
  const { origins, form, outcome, reference, status } = document.currentScript.dataset;
  let page = null; // the origin that is answered

  const matches = (origin) => (rule) => {
    const [scheme, domain] = rule.split("*");
    if (rule === "*" || domain === undefined) return rule === "*" || rule === origin;
    const subdomain = origin.slice(scheme.length, -domain.length);
    return scheme + subdomain + domain === origin && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(subdomain);
  };

  const tell = (type, more) => parent.postMessage({ type: `intresse:${type}`, ...more }, page);

  let told = 0;
  const measure = () => {
    // The root element is as tall as its content, whatever the frame's height: so it shrinks too, and never chases itself.
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (page && height !== told) tell("height", { height });
    told = page ? height : 0;
  };

  let typed = false; // that something was, not what
  addEventListener("input", () => {
    if (page && !typed) tell("typed");
    typed = true;
  });

  // The page has come to another home while somebody was typing: whoever typed says what becomes of it.
  const offer = () => {
    const asked = document.getElementById("moved")?.content.cloneNode(true);
    if (!asked || document.querySelector(".moved")) return;
    asked.querySelector("button").addEventListener("click", () => tell("left"));
    document.querySelector("main").prepend(asked);
  };

  const greet = () => {
    told = 0;
    tell("ready", { form });
    measure();
    if (outcome) tell(outcome, reference ? { form, reference, status } : { form });
    if (typed) tell("typed");
  };

  addEventListener("message", ({ source, origin, data }) => {
    if (parent === window || source !== parent) return;
    if (data?.type === "intresse:hello" && origins.split(" ").some(matches(origin))) {
      page = origin;
      greet();
    }
    if (data?.type === "intresse:moved" && origin === page) offer();
  });
  new ResizeObserver(measure).observe(document.documentElement);
}
