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

  addEventListener("message", ({ source, origin, data }) => {
    if (parent === window || source !== parent || data?.type !== "intresse:hello") return;
    if (!origins.split(" ").some(matches(origin))) return;
    page = origin;
    told = 0;
    tell("ready", { form });
    measure();
    if (outcome) tell(outcome, reference ? { form, reference, status } : { form });
  });
  new ResizeObserver(measure).observe(document.documentElement);
}
