// Uses GraphiQL in Chromium as a person would: a token, a question, and then a subscription that is told of changes.
// Arguments: Chromium, the page, a token, an asset's id, a folder for a screenshot.
import { chromium } from "playwright-core";

const [executablePath, address, token, asset, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));

await page.goto(address);
await page.fill("#token", token);
await page.click("#token-form button");
await page.waitForFunction(() => document.getElementById("standing").textContent.startsWith("Signed in."));

const shown = () =>
  page.evaluate(() => document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue() ?? "");
const ask = async (text) => {
  await page.evaluate(
    (text) => document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(text),
    text,
  );
  await page.waitForTimeout(1000); // GraphiQL looks at what was typed, and learns the operations' names, after a pause
  await page.click(".graphiql-execute-button");
};
const until = async (wanted, meanwhile = async () => {}) => {
  for (let turn = 0; turn < 200; turn += 1) {
    const text = await shown();
    if (text.includes(wanted)) return text;
    await meanwhile(turn);
    await page.waitForTimeout(150);
  }
  throw new Error(`never shown: ${wanted}; instead ${await shown()}`);
};

await page.waitForSelector(".graphiql-query-editor .CodeMirror");
await ask("query Me { me { __typename } }");
const answer = await until('"me"');

// What the page cannot see is whether the hub follows already: so the title is changed until that is told.
const post = async (query, variables) => {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const sent = await fetch(address, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await sent.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
};
const rename = async (turn) => {
  const found = await post("query ($asset: ID!) { asset(id: $asset) { revision } }", { asset });
  await post("mutation ($input: AssetUpdateInput!) { assetUpdate(input: $input) { errors { message } } }", {
    input: { asset, expectedRevision: found.asset.revision, title: `Renamed ${turn}` },
  });
};
await ask(`subscription Changes { assetChanged(ids: ["${asset}"]) { change asset { title } } }`);
const told = await until("Renamed", rename);
await page.screenshot({ path: `${folder}/explorer.png` });
await browser.close();
console.log(JSON.stringify({ answer, told, complaints }));
