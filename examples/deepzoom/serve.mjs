// The page's own server: it alone holds the token, and asks the hub for an address that the page may use.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize } from "node:path";

const hub = process.env.IMPRIMATUR_HUB ?? "http://127.0.0.1:8000";
const token = process.env.IMPRIMATUR_TOKEN ?? "";
const here = import.meta.dirname;
const seadragon = dirname(createRequire(import.meta.url).resolve("openseadragon"));
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".png": "image/png" };
const query = "query ($id: ID!) { asset(id: $id) { current { iiif { url validUntil } } } }";

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://page");
  try {
    if (pathname === "/picture") {
      const found = await iiif(searchParams.get("asset"));
      send(response, found ? 200 : 404, "application/json", found ? JSON.stringify(found) : "There is no such picture.");
    } else {
      const file = fileOf(pathname);
      send(response, 200, types[extname(file)] ?? "application/octet-stream", await readFile(file));
    }
  } catch {
    send(response, 404, "text/plain", "There is nothing here.");
  }
});

async function iiif(id) {
  const answer = await fetch(`${hub}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { id } }),
  });
  return (await answer.json()).data?.asset?.current?.iiif;
}

function fileOf(pathname) {
  const path = normalize(pathname);
  if (path.startsWith("/openseadragon/")) return join(seadragon, path.slice("/openseadragon/".length));
  if (path === "/" || path === "/viewer.js") return join(here, path === "/" ? "index.html" : path);
  throw new Error("unknown");
}

function send(response, status, type, body) {
  response.writeHead(status, { "Content-Type": type }).end(body);
}

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/?asset=…`);
});
