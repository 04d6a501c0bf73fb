// An OpenID Connect provider for tests: real protocol, people from a table, keys that can be changed at will.
// Started with its configuration as JSON in the first argument: {port, redirects, people, resource}.
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const told = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${told.port}`;
let handle;

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };
}

function client(id, more) {
  return { client_id: id, redirect_uris: told.redirects, response_types: ["code"], grant_types: ["authorization_code"], ...more };
}

function open() {
  const provider = new Provider(issuer, {
    clients: [
      client("public", { token_endpoint_auth_method: "none" }),
      client("confidential", { client_secret: "s3cret/+: of the hub", token_endpoint_auth_method: "client_secret_basic" }),
      {
        client_id: "robot",
        client_secret: "robot",
        redirect_uris: [],
        response_types: [],
        grant_types: ["client_credentials"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: told.conform !== false,
    cookies: { keys: [randomUUID()] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: () => ({ scope: "", audience: told.resource, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
      },
    },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...told.people[sub] }) }),
    jwks: { keys: [newKey()] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AuthorizationCode: 60, AccessToken: 600, IdToken: 600, ClientCredentials: 600 },
  });
  handle = provider.callback();
}

open();
createServer((request, response) => {
  if (request.method === "POST" && request.url === "/-/rotate") {
    open(); // everything anew: keys, sessions, codes
    response.writeHead(204).end();
  } else {
    handle(request, response);
  }
}).listen(told.port, "127.0.0.1");
