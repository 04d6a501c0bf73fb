// Runs what Relay's compiler has made, by the digests of its manifest alone; prints what it found as JSON.
const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getSelector } =
  require("relay-runtime");
const made = (name) => require(`./src/__generated__/${name}.graphql`);

const [address, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", Accept: "application/graphql-response+json" };
const ask = async (asked) => (await fetch(`${address}/graphql`, { method: "POST", headers, body: JSON.stringify(asked) })).json();

const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(({ id }, variables) => ask({ documentId: `sha256:${id}`, variables })),
});
const library = createOperationDescriptor(made("LibraryQuery"), {});
environment.retain(library);

const read = (fragment, ref) => environment.lookup(getSelector(made(fragment), ref)).data;
const page = () => read("Library_assets", environment.lookup(library.fragment).data).assets;
const card = (place) => read("Library_card", page().edges[place].node);
const fetched = (name, variables) => fetchQuery(environment, made(name), variables).toPromise();
const renamed = (input) =>
  new Promise((onCompleted, onError) =>
    commitMutation(environment, { mutation: made("LibraryRenameMutation"), variables: { input }, onCompleted, onError }),
  );

(async () => {
  const found = {};
  await fetched("LibraryQuery", {});
  found.firstPage = page().edges.length;
  while (page().pageInfo.hasNextPage) await fetched("LibraryNextQuery", { first: 3, after: page().pageInfo.endCursor });
  found.edges = page().edges.length;
  found.different = new Set(page().edges.map((edge) => edge.node.id)).size;

  const { id, revision } = card(0);
  await renamed({ asset: id, title: "Aa, by Relay", expectedRevision: revision });
  found.renamed = card(0).title;
  const { assetUpdate } = await renamed({ asset: id, title: "Too late", expectedRevision: revision });
  found.refused = assetUpdate.errors;

  await fetched("LibraryCardQuery", { id, preset: "thumb" });
  const anew = { ...page().edges[0].node, __fragments: { Library_card: { preset: "thumb" } } };
  found.anew = read("Library_card", anew).current.rendition.preset;
  found.untrusted = (await ask({ query: "{ me { name } }" })).errors[0].extensions.code;
  process.stdout.write(JSON.stringify(found));
})();
