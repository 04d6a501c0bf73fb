// Apollo Client as docs/clients.md sets it up; prints what it found as JSON.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { connectionParams, headers, sha256, since, socketUrl, tell, until, url, watchedFetch, webSocketImpl } from "./house.mjs";

const introspected = await fetch(url, {
  method: "POST",
  headers: { ...headers, "Content-Type": "application/json" },
  body: JSON.stringify({ query: "{ __schema { types { name possibleTypes { name } } } }" }),
}).then((answer) => answer.json());
const abstract = introspected.data.__schema.types.filter((type) => type.possibleTypes);
const possibleTypes = Object.fromEntries(abstract.map((type) => [type.name, type.possibleTypes.map((each) => each.name)]));

const socket = createClient({ url: socketUrl, connectionParams, webSocketImpl });
const cache = new InMemoryCache({
  possibleTypes,
  typePolicies: { Query: { fields: { assets: relayStylePagination(["search", "where", "orderBy"]) } } },
});
const client = new ApolloClient({
  cache,
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri: url, headers, fetch: watchedFetch })),
  ),
});

const LIBRARY = gql`
  query Library($first: Int, $after: String) {
    assets(first: $first, after: $after, orderBy: [{ field: TITLE, direction: ASC }]) {
      edges { cursor node { id title revision tags { id name } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;
const RENAME = gql`
  mutation Rename($input: AssetUpdateInput!) {
    assetUpdate(input: $input) {
      asset { id title revision }
      errors { code message ... on StaleRevisionError { current } }
    }
  }
`;
const rename = (asset, title) =>
  client.mutate({ mutation: RENAME, variables: { input: { asset: asset.id, title, expectedRevision: asset.revision } } });
const found = { possible: possibleTypes.Actor };

// Persisted queries: the digest first, the document when the hub asks for it, the digest alone from then on.
const asked = { query: LIBRARY, variables: { first: 3 } };
found.firstAsked = await since(() => client.query(asked));
found.askedAgain = await since(() => client.query({ ...asked, fetchPolicy: "network-only" }));

// Pages are put together under one field.
const library = client.watchQuery(asked);
const watching = library.subscribe(() => {});
/** The edges that whoever watches the page is shown, as soon as they are such. */
const shown = (are) =>
  new Promise((tell) => {
    library.subscribe(({ data }) => data && are(data.assets.edges) && tell(data.assets.edges));
  });
for (let page = library.getCurrentResult().data.assets.pageInfo; page.hasNextPage; ) {
  const more = await library.fetchMore({ variables: { after: page.endCursor } });
  page = more.data.assets.pageInfo;
}
const edges = await shown((edges) => edges.length > 6);
found.pages = { edges: edges.length, different: new Set(edges.map((edge) => edge.node.id)).size };

// Everything is kept by its id: what a mutation answers is seen wherever it is shown.
const asset = edges[0].node;
found.keyed = Object.keys(cache.extract()).includes(`Asset:${asset.id}`);
found.renaming = await since(() => rename(asset, "Aa, renamed"));
found.renamed = (await shown(([{ node }]) => node.title !== asset.title))[0].node.title;
const { data: met } = await client.query({ query: gql`{ me { person { ... on Node { id } ... on Actor { name } } } }` });
const person = cache.identify(met.me.person);
found.byInterface = cache.readFragment({ id: person, fragment: gql`fragment Named on Actor { name }` });

// Refusals are data with types; what cannot run is an error with a code.
const { data: stale } = await rename(asset, "Too late");
found.refused = stale.assetUpdate.errors.map(({ __typename, code, current }) => ({ __typename, code, newer: current > asset.revision }));
found.invalid = await client.query({ query: gql`{ nonsense }` }).catch((error) => ({
  combined: CombinedGraphQLErrors.is(error),
  code: error.errors?.[0].extensions.code,
}));

// What a subscription tells is seen in the cache, too.
const heard = new Promise((tell, fail) => {
  client
    .subscribe({
      query: gql`subscription Told($ids: [ID!]) { assetChanged(ids: $ids) { cursor asset { id title revision } } }`,
      variables: { ids: [asset.id] },
    })
    .subscribe({ next: ({ data, error }) => (error ? fail(error) : tell(data.assetChanged)), error: fail });
});
const quietly = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url, headers }) });
const ONE = gql`query One($id: ID!) { asset(id: $id) { id revision } }`;
const told = await until(heard, async (turn) => {
  const { data } = await quietly.query({ query: ONE, variables: { id: asset.id }, fetchPolicy: "network-only" });
  const input = { asset: asset.id, title: `Aa, told ${turn}`, expectedRevision: data.asset.revision };
  await quietly.mutate({ mutation: RENAME, variables: { input } });
});
found.told = { id: told.asset.id === asset.id, hasCursor: told.cursor.length > 0, title: told.asset.title.replace(/\d+/, "…") };
found.shown = (await shown(([{ node }]) => node.title === told.asset.title))[0].node.id === asset.id;

tell(found);
watching.unsubscribe();
client.stop();
await socket.dispose();
process.exit(0);
