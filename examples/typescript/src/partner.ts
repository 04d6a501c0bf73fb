// A partner's site: lists what it may show, and keeps a folder of it up to date.
//
//   partner.js list                        one line for each asset
//   partner.js mirror FOLDER [SECONDS]     fetches what is new, removes what is gone; again every so many seconds
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { graphql } from "./gql/index.js";
import type { ChangesQuery } from "./gql/graphql.js";
import { Hub, Refused } from "./hub.js";

const ASSETS = graphql(`
  query Assets($first: Int!, $after: String) {
    assets(first: $first, after: $after, orderBy: [{ field: TITLE, direction: ASC }]) {
      nodes {
        title
        tags { name }
        current { number width height }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const CHANGES = graphql(`
  query Changes($first: Int!, $after: String) {
    changes(first: $first, after: $after, of: [ASSET]) {
      resync
      nodes {
        type
        nodeId
        reason
        node {
          __typename
          ... on Asset {
            title
            current {
              number
              rendition(preset: "web") { state url { url } }
            }
          }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

type Change = ChangesQuery["changes"]["nodes"][number];

const CURSOR = "cursor";
/** How many are asked for at once. */
const first = Number(process.env["IMPRIMATUR_PAGE"] ?? 50);

async function list(hub: Hub): Promise<void> {
  let after: string | null | undefined;
  do {
    const { assets } = await hub.ask(ASSETS, { first, after });
    for (const { title, current, tags } of assets.nodes) {
      const size = current?.width ? `${current.width} × ${current.height}` : "no picture";
      console.log(`${title}: version ${current?.number}, ${size}, ${tags.map((tag) => tag.name).join(", ")}`);
    }
    after = assets.pageInfo.hasNextPage ? assets.pageInfo.endCursor : null;
  } while (after);
}

/** What is in the folder afterwards is what the hub shows now. Ended at any point, the next call goes on. */
async function mirror(hub: Hub, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  let after: string | null = await readFile(join(folder, CURSOR), "utf8").catch(() => null);
  for (let more = true; more; ) {
    const { changes } = await hub.ask(CHANGES, { first, after });
    if (changes.resync) await empty(folder);
    for (const change of changes.nodes) await apply(hub, folder, change);
    after = changes.pageInfo.endCursor;
    more = changes.pageInfo.hasNextPage;
    if (after) await writeFile(join(folder, CURSOR), after);
  }
}

async function apply(hub: Hub, folder: string, change: Change): Promise<void> {
  const file = join(folder, `${change.nodeId}.webp`);
  if (change.node?.__typename !== "Asset") {
    await rm(file, { force: true });
    console.log(`removed ${change.nodeId}: ${change.reason}`);
    return;
  }
  const { title, current } = change.node;
  const url = current?.rendition?.url?.url;
  if (!url) {
    // It is told again once the rendition is there.
    console.log(`waiting for “${title}”: ${current?.rendition?.state ?? "no picture"}`);
    return;
  }
  const bytes = await hub.fetched(url);
  await writeFile(`${file}.part`, bytes);
  await rename(`${file}.part`, file);
  console.log(`fetched “${title}”, version ${current.number}`);
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name));
  console.log("began anew");
}

async function main([command, folder, seconds]: string[]): Promise<void> {
  const token = process.env["IMPRIMATUR_TOKEN"];
  if (!token) throw new Refused("Put the partner's token into IMPRIMATUR_TOKEN.");
  const hub = new Hub(process.env["IMPRIMATUR_HUB"] ?? "http://127.0.0.1:8000", token, !!process.env["IMPRIMATUR_REGISTERED"]);
  if (command === "list") return list(hub);
  if (command !== "mirror" || !folder) throw new Refused("Say `list`, or `mirror FOLDER [SECONDS]`.");
  await mirror(hub, folder);
  while (seconds) {
    await new Promise((done) => setTimeout(done, Number(seconds) * 1000));
    await mirror(hub, folder);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
});
