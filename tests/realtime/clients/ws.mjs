// A subscriber by npm's `graphql-ws`: prints a JSON line for what its client says. Arguments: address, token, query,
// variables; with `after` among the variables of the query it reads on behind the last cursor whenever it reconnects.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [address, token, query, variables] = process.argv.slice(2);
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
let cursor = JSON.parse(variables).after;

const client = createClient({
  url: `${address.replace("http", "ws")}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  lazy: true,
  retryAttempts: 0,
  on: {
    connected: () => say({ connected: true }),
    closed: (event) => say({ closed: event.code, reason: event.reason }),
  },
});

for (let again = 0; again < 2000; again += 1) {
  try {
    for await (const result of client.iterate({ query, variables: { ...JSON.parse(variables), after: cursor } })) {
      cursor = result.data?.assetChanged?.cursor ?? cursor;
      say({ result });
    }
    say({ complete: true });
    break;
  } catch (error) {
    if (Array.isArray(error)) {
      say({ errors: error });
      break;
    }
    if (error.code !== undefined && error.code >= 4400) break;
    await new Promise((done) => setTimeout(done, 100));
  }
}
await client.dispose();
