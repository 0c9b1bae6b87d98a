// Inside an embed: sends the page around it the form's height and its outcome; never who the visitor is.
// The page sends the first message, and is answered only if it is our parent and on one of the customer's origins.
{
  const { origins, form, outcome, reference, status } = document.currentScript.dataset;
  let page = null; // the origin that messages are sent to

  const matches = (origin) => (rule) => {
    const [scheme, domain] = rule.split("*");
    if (rule === "*" || domain === undefined) return rule === "*" || rule === origin;
    const subdomain = origin.slice(scheme.length, -domain.length);
    return scheme + subdomain + domain === origin && /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(subdomain);
  };

  const post = (type, more) => parent.postMessage({ type: `intresse:${type}`, ...more }, page);

  let sentHeight = 0;
  const measure = () => {
    // The root element is as tall as its content, whatever the frame's height: so it also shrinks, and never follows its own growth.
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (page && height !== sentHeight) post("height", { height });
    sentHeight = page ? height : 0;
  };

  let typed = false; // whether anything was typed, never what
  addEventListener("input", () => {
    if (page && !typed) post("typed");
    typed = true;
  });

  // The page now asks for another form while the visitor was typing: the visitor decides.
  const offerMove = () => {
    const notice = document.getElementById("moved")?.content.cloneNode(true);
    if (!notice || document.querySelector(".moved")) return;
    notice.querySelector("button").addEventListener("click", () => post("left"));
    document.querySelector("main").prepend(notice);
  };

  const greet = () => {
    sentHeight = 0;
    post("ready", { form });
    measure();
    if (outcome) post(outcome, reference ? { form, reference, status } : { form });
    if (typed) post("typed");
  };

  addEventListener("message", ({ source, origin, data }) => {
    if (parent === window || source !== parent) return;
    if (data?.type === "intresse:hello" && origins.split(" ").some(matches(origin))) {
      page = origin;
      greet();
    }
    if (data?.type === "intresse:moved" && origin === page) offerMove();
  });
  new ResizeObserver(measure).observe(document.documentElement);
}
