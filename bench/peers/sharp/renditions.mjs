// The same renditions by sharp, each straight from the file, so that libvips shrinks while it loads.
// node renditions.mjs '{"source", "warm", "out", "press", "recipes": [{name, format, width, height, cover, ...}]}'
import { readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

sharp.concurrency(1);
sharp.cache(false);
const told = JSON.parse(process.argv[2]);

const WRITERS = {
  jpeg: (made, { quality, progressive }) => made.jpeg({ quality, progressive }),
  webp: (made, { quality }) => made.webp({ quality, effort: 4 }),
  // libheif's effort counts down from 9 where encoders' speed counts up.
  avif: (made, { quality, speed }) => made.avif({ quality, effort: 9 - speed, chromaSubsampling: "4:2:0" }),
  tiff: (made) => made.tiff({ compression: "lzw", predictor: "horizontal" }),
};

async function render(source) {
  for (const recipe of told.recipes) {
    const fit = recipe.cover ? "cover" : "inside";
    let made = sharp(source).rotate().resize(recipe.width, recipe.height, { fit, withoutEnlargement: true });
    if (recipe.cmyk) made = made.toColourspace("cmyk").withIccProfile(told.press);
    await WRITERS[recipe.format](made, recipe).toFile(path.join(told.out, recipe.file));
  }
}

await render(told.warm);
const before = process.cpuUsage();
const start = performance.now();
await render(told.source);
const wall = (performance.now() - start) / 1000;
const used = process.cpuUsage(before);
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
console.log((used.user + used.system) / 1e6, wall, peak);
