// Looks at a picture closely in Chromium, as a person would, and prints what it saw.
// Arguments: Chromium, the page, a folder for screenshots.
import { chromium } from "playwright-core";

const [executablePath, page_url, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1024, height: 768 } });
const answers = [];
const complaints = [];
page.on("response", (each) => {
  const path = new URL(each.url()).pathname;
  if (path.startsWith("/iiif/") && !path.endsWith("info.json")) answers.push({ path, status: each.status() });
});
page.on("pageerror", (error) => complaints.push(String(error)));

await page.goto(page_url);
await page.waitForFunction(() => globalThis.viewer?.world.getItemCount() === 1, null, { timeout: 60_000 });
const loaded = () =>
  page.waitForFunction(() => globalThis.viewer.world.getItemAt(0).getFullyLoaded(), null, { timeout: 120_000 });
// What a movement asks for is asked for in the next frame, and drawn in the one after it came.
const frames = () =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))));
// A tile that was not there yet counts as loaded until the viewer tries again: so everything asked for must have come.
const wholly = async () => {
  await frames();
  await loaded();
  for (const last of answers) {
    while (answers.findLast((each) => each.path === last.path).status !== 200) await page.waitForTimeout(100);
  }
  await loaded();
  await frames();
};

// What stands in the middle of the screen, read back from what was drawn.
const middle = () =>
  page.evaluate(() => {
    const canvas = globalThis.viewer.drawer.canvas;
    const drawn = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    return [...drawn.slice(0, 3)];
  });

await wholly();
const whole = await middle();
await page.screenshot({ path: `${folder}/whole.png` });

const size = await page.evaluate(() => ({ ...globalThis.viewer.world.getItemAt(0).getContentSize() }));
const seen = [];
// Corner by corner, one pixel of the screen for one of the picture; with the wheel once, as a person does.
for (const [x, y] of [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]) {
  await page.evaluate(
    ([x, y]) => {
      const { viewport, world } = globalThis.viewer;
      const item = world.getItemAt(0);
      const at = item.imageToViewportCoordinates(item.getContentSize().x * x, item.getContentSize().y * y);
      viewport.zoomTo(viewport.imageToViewportZoom(1), null, true).panTo(at, true);
    },
    [x, y],
  );
  await wholly();
  seen.push(await middle());
}
await page.screenshot({ path: `${folder}/close.png` });

const before = await page.evaluate(() => globalThis.viewer.viewport.getZoom());
await page.mouse.move(512, 384);
await page.mouse.wheel(0, 600);
await page.waitForFunction((before) => globalThis.viewer.viewport.getZoom() < before, before);
await page.waitForTimeout(1500);
await wholly();
const seconds = await page.evaluate(
  () =>
    new Promise((resolve) => {
      const at = [];
      globalThis.viewer.viewport.zoomTo(globalThis.viewer.viewport.getMaxZoom() / 2);
      const tick = (now) => (at.push(now) > 90 ? resolve(at) : requestAnimationFrame(tick));
      requestAnimationFrame(tick);
    }),
);
await wholly();
await browser.close();

const gaps = seconds.slice(1).map((now, at) => now - seconds[at]).sort((a, b) => a - b);
console.log(
  JSON.stringify({
    size,
    whole,
    seen,
    complaints,
    tiles: answers.length,
    statuses: [...new Set(answers.map((each) => each.status))].sort(),
    parts: [...new Set(answers.map((each) => each.path.split("/").slice(4).join("/")))],
    framesMedian: gaps[Math.floor(gaps.length / 2)],
  }),
);
