// What the clients' scripts share: where the hub is, a `fetch` that writes down what goes over the wire, and waiting.
import { createHash } from "node:crypto";
import WebSocket from "ws";

export const [address, token] = process.argv.slice(2);
export const url = `${address}/graphql`;
export const socketUrl = url.replace("http", "ws");
export const headers = { Authorization: `Bearer ${token}` };
export const connectionParams = headers;
export const webSocketImpl = WebSocket;

/** One entry per request: its method, whether a document was sent or named, and the answer's media type. */
export const wire = [];

export async function watchedFetch(where, options = {}) {
  const asked = new URL(where);
  const body = options.body ? JSON.parse(options.body) : Object.fromEntries(asked.searchParams);
  const answer = await fetch(where, options);
  const accepts = new Headers(options.headers).get("accept");
  wire.push({
    method: options.method ?? "GET",
    sent: Boolean(body.query),
    named: JSON.stringify(body.extensions ?? "").includes("sha256Hash"),
    prefersStreams: accepts.startsWith("text/event-stream"),
    offersStreams: accepts.includes("text/event-stream"),
    status: answer.status,
    type: answer.headers.get("content-type").split(";")[0],
  });
  return answer;
}

export const since = async (act) => {
  const before = wire.length;
  await act();
  return wire.slice(before);
};

export const sha256 = async (text) => createHash("sha256").update(text).digest("hex");

/** Does something again and again until the promise is kept: nobody is told when a subscription has begun. */
export async function until(kept, again) {
  let isKept = false;
  const told = kept.finally(() => (isKept = true));
  for (let turn = 0; !isKept && turn < 200; turn += 1) {
    await again(turn);
    await Promise.race([told, new Promise((done) => setTimeout(done, 250))]);
  }
  return told;
}

export const tell = (found) => process.stdout.write(JSON.stringify(found));
