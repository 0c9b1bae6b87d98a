// A visitor with Firefox: node firefox.mjs EXECUTABLE PAGE FORM. Fills in and sends the form on the broker's page, then
// types into the form's own page, goes on and comes back. Prints what was seen as JSON.
import puppeteer from "puppeteer-core";

const [executablePath, broker, form] = process.argv.slice(2);
const PATIENCE = { timeout: 30_000 };
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  extraPrefsFirefox: { "intl.accept_languages": "sv" },
});
const seen = {};
try {
  const page = await browser.newPage();
  await page.goto(broker);
  await page.waitForFunction(() => dispatched.some(([name]) => name === "ready"), PATIENCE);
  const element = await page.waitForSelector("#interest iframe", PATIENCE);
  const frame = await element.contentFrame();
  await frame.type("[name=firstName]", "Anna");
  await frame.type("[name=lastName]", "Åkesson");
  await frame.type("[name='telephone.cell']", "070-174 06 05");
  await frame.click("[name=consent]");
  seen.content = await frame.evaluate(() => document.documentElement.scrollHeight);
  seen.height = await element.evaluate((shown) => shown.clientHeight);
  await frame.evaluate(() => document.querySelector("form").requestSubmit());
  await page.waitForFunction(() => dispatched.some(([name]) => name === "submitted"), PATIENCE);
  seen.dispatched = await page.evaluate(() => dispatched.map(([name]) => name));

  const own = await browser.newPage();
  await own.goto(form);
  await own.type("[name=contactMessage]", "Hej på er");
  await own.evaluate(() => { location.href = "/healthz"; });
  await own.waitForFunction(() => location.pathname === "/healthz", PATIENCE);
  await own.evaluate(() => { history.back(); });
  await own.waitForFunction(() => document.querySelector("[name=contactMessage]"), PATIENCE);
  seen.kept = await own.$eval("[name=contactMessage]", (input) => input.value);
  await own.click("[hreflang=en]");
  await own.waitForFunction(() => document.documentElement.lang === "en", PATIENCE);
  seen.keptInEnglish = await own.$eval("[name=contactMessage]", (input) => input.value);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
