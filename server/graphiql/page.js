// The page around GraphiQL: a token kept in this tab only, and sent with every request to this very address.
// Without one, whoever signed in is known by the session's cookie, which no script can read.
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

// The address of a guest link carries its token behind the #, which no server sees.
const told = new URLSearchParams(location.hash.slice(1)).get("token");
if (told) {
  sessionStorage.setItem(KEPT_AS, told);
  history.replaceState(null, "", location.pathname);
}

const field = document.getElementById("token");
const standing = document.getElementById("standing");
const root = ReactDOM.createRoot(document.getElementById("graphiql"));

// Subscriptions go over a WebSocket, which takes the token with its first message, or the session's cookie.
function fetcher() {
  const token = sessionStorage.getItem(KEPT_AS);
  return GraphiQL.createFetcher({
    url: window.location.pathname,
    fetch: fetchWithToken,
    subscriptionUrl: location.origin.replace(/^http/, "ws") + location.pathname,
    wsConnectionParams: token ? { Authorization: `Bearer ${token}` } : {},
  });
}

async function fetchWithToken(address, options) {
  const token = sessionStorage.getItem(KEPT_AS);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(address, { ...options, headers, credentials: token ? "omit" : "same-origin" });
  if (answer.status === 401) {
    standing.replaceChildren(...(token ? ["This token is not valid."] : ["Paste your token, or ", signIn()]));
  } else {
    standing.replaceChildren(...(token ? ["Signed in."] : ["Signed in. ", signOut()]));
  }
  return answer;
}

function signIn() {
  const link = document.createElement("a");
  link.href = `auth/login?return=${encodeURIComponent(window.location.pathname)}`;
  link.textContent = "sign in";
  return link;
}

function signOut() {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Sign out";
  button.addEventListener("click", async () => {
    await fetch("auth/logout", { method: "POST", credentials: "same-origin" });
    draw();
  });
  return button;
}

// A new key makes React begin anew, so that the schema is asked for again with the new token.
let turn = 0;
function draw() {
  turn += 1;
  root.render(
    React.createElement(GraphiQL, {
      key: turn,
      fetcher: fetcher(),
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
