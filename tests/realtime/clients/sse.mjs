// The same by npm's `graphql-sse`, in its mode of distinct connections.
import { createClient } from "graphql-sse";

const [address, token, query, variables] = process.argv.slice(2);
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
let cursor = JSON.parse(variables).after;

const client = createClient({
  url: `${address}/graphql`,
  headers: { Authorization: `Bearer ${token}` },
  retryAttempts: 0,
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
    if (error.response) {
      say({ refused: error.response.status });
      break;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}
client.dispose();
