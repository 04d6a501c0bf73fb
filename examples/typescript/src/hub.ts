// Asking a hub: one request, typed by its document.
import type { TypedDocumentString } from "./gql/graphql.js";

export class Refused extends Error {}

/** Asks as the holder of a token; `Refused` says in the hub's words why there is no answer. */
export class Hub {
  constructor(
    private readonly address: string,
    private readonly token: string,
    /** Whether the build's manifest is registered there: then a document is named instead of sent. */
    private readonly registered: boolean,
  ) {}

  async ask<Data, Variables>(document: TypedDocumentString<Data, Variables>, variables: Variables): Promise<Data> {
    const response = await fetch(`${this.address}/graphql`, {
      method: "POST",
      headers: {
        Accept: "application/graphql-response+json",
        Authorization: `Bearer ${this.token}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ ...this.named(document), variables }),
    });
    const answer = (await response.json()) as { data?: Data | null; errors?: { message: string }[] };
    if (!answer.data || answer.errors) {
      throw new Refused(answer.errors?.map((error) => error.message).join("\n") ?? `${response.status}`);
    }
    return answer.data;
  }

  private named<Data, Variables>(document: TypedDocumentString<Data, Variables>): object {
    return this.registered ? { documentId: document.__meta__?.["hash"] } : { query: document.toString() };
  }

  /** The bytes behind a signed address, which needs no token. */
  async fetched(url: string): Promise<Uint8Array> {
    const response = await fetch(url);
    if (!response.ok) throw new Refused(`${response.status} for ${url}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}
