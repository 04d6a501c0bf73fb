// The page around GraphiQL: a token kept in this tab only, and sent with every request to this very address.
"use strict";

const KEPT_AS = "imprimatur-token";
const WELCOME = `# Write a query, press Ctrl+Enter.
# The book on the left explains
# every type.

query Welcome {
  me {
    __typename
  }
}
`;

const field = document.getElementById("token");
const standing = document.getElementById("standing");
const root = ReactDOM.createRoot(document.getElementById("graphiql"));

const fetcher = GraphiQL.createFetcher({ url: window.location.pathname, fetch: fetchWithToken });

async function fetchWithToken(address, options) {
  const token = sessionStorage.getItem(KEPT_AS);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(address, { ...options, headers, credentials: "omit" });
  standing.textContent = answer.status === 401 ? (token ? "This token is not valid." : "Paste your token to begin.") : "Signed in.";
  return answer;
}

// A new key makes React begin anew, so that the schema is asked for again with the new token.
let turn = 0;
function draw() {
  turn += 1;
  root.render(
    React.createElement(GraphiQL, {
      key: turn,
      fetcher,
      defaultQuery: WELCOME,
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: true,
    }),
  );
}

document.getElementById("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = field.value.trim();
  if (token) {
    sessionStorage.setItem(KEPT_AS, token);
  } else {
    sessionStorage.removeItem(KEPT_AS);
  }
  field.value = "";
  draw();
});

draw();
