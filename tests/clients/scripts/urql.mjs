// urql as docs/clients.md sets it up; prints what it found as JSON.
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { createClient } from "graphql-ws";
import { connectionParams, headers, since, socketUrl, tell, until, url, watchedFetch, webSocketImpl } from "./house.mjs";

const socket = createClient({ url: socketUrl, connectionParams, webSocketImpl });
const forwardSubscription = (request) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink) }),
});
const told = { url, fetch: watchedFetch, fetchOptions: { headers }, preferGetMethod: false };
const plain = new Client({ ...told, exchanges: [cacheExchange, fetchExchange] });
const persisted = new Client({
  ...told,
  exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), subscriptionExchange({ forwardSubscription }), fetchExchange],
});
const streaming = new Client({ ...told, fetchSubscriptions: true, exchanges: [fetchExchange] });

const LIBRARY = gql`
  query Library { assets(first: 3, orderBy: [{ field: TITLE, direction: DESC }]) { totalCount nodes { id title revision } } }
`;
const RENAME = gql`
  mutation Rename($input: AssetUpdateInput!) {
    assetUpdate(input: $input) { asset { id title revision } errors { __typename code message } }
  }
`;
const TOLD = gql`subscription Told($ids: [ID!]) { assetChanged(ids: $ids) { cursor asset { id title } } }`;
const found = {};

// `text/event-stream` stands in what urql accepts for every request; what it gets is JSON.
let result;
found.asked = await since(async () => (result = await plain.query(LIBRARY, {})));
const { totalCount, nodes } = result.data.assets;
const asset = nodes[0];
found.total = totalCount;
found.fromCache = await since(() => plain.query(LIBRARY, {}));

const rename = (revision, title) => plain.mutation(RENAME, { input: { asset: asset.id, title, expectedRevision: revision } });
const renamed = await rename(asset.revision, "Zz, renamed");
found.renamed = renamed.data.assetUpdate.asset.title;
found.askedAgain = (await since(async () => (result = await plain.query(LIBRARY, {})))).length;
found.shown = result.data.assets.nodes[0].title;
found.refused = (await rename(asset.revision, "Too late")).data.assetUpdate.errors.map(({ __typename, code }) => ({ __typename, code }));
found.invalid = (await plain.query(gql`{ nonsense }`, {})).error.graphQLErrors.map((error) => error.extensions.code);

// Persisted queries by GET.
const again = { requestPolicy: "network-only" };
found.firstAsked = await since(() => persisted.query(LIBRARY, {}, again));
found.namedOnly = await since(() => persisted.query(LIBRARY, {}, again));

// Subscriptions: over graphql-ws, and as an event stream.
const change = async (turn) => {
  const { data } = await plain.query(gql`query One($id: ID!) { asset(id: $id) { revision } }`, { id: asset.id }, again);
  await rename(data.asset.revision, `Zz, told ${turn}`);
};
const heardBy = (client) =>
  new Promise((hear) => {
    const { unsubscribe } = client.subscription(TOLD, { ids: [asset.id] }).subscribe((result) => {
      hear(result.data?.assetChanged.asset.title.replace(/\d+/, "…") ?? String(result.error));
      setTimeout(() => unsubscribe());
    });
  });
found.overSocket = await until(heardBy(persisted), change);
const stream = await since(async () => (found.overStream = await until(heardBy(streaming), change)));
found.stream = stream.find((request) => request.prefersStreams)?.type;

tell(found);
await socket.dispose();
process.exit(0);
