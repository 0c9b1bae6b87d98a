// Reads pages, one JSON string a line, and answers each with a line: what is wrong with its HTML.
import { createInterface } from "node:readline";
import { HtmlValidate, StaticConfigLoader } from "html-validate";

const rules = new StaticConfigLoader({
  root: true,
  extends: ["html-validate:standard", "html-validate:a11y"],
  rules: {
    "no-implicit-button-type": "off", // a recommendation: HTML has a default
    "aria-label-misuse": ["error", { allowAnyNamable: true }], // as ARIA has it: a list may have a name
  },
});
const checker = new HtmlValidate(rules);

for await (const line of createInterface({ input: process.stdin })) {
  const { results } = await checker.validateString(JSON.parse(line));
  const found = results.flatMap(({ messages }) => messages.map(({ ruleId, message, selector }) => `${ruleId}: ${message} (${selector})`));
  console.log(JSON.stringify(found));
}
