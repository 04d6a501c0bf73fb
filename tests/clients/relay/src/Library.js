// The documents of a library in Relay: a page that goes on, a card that is read anew by its id, and a change.
const { graphql } = require("relay-runtime");

graphql`
  fragment Library_card on Asset
  @refetchable(queryName: "LibraryCardQuery")
  @argumentDefinitions(preset: { type: "String", defaultValue: "web" }) {
    id
    title
    revision
    current {
      number
      rendition(preset: $preset) {
        preset
        state
      }
    }
  }
`;

graphql`
  fragment Library_assets on Query
  @refetchable(queryName: "LibraryNextQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 3 }, after: { type: "String" }) {
    assets(first: $first, after: $after, orderBy: [{ field: TITLE, direction: ASC }]) @connection(key: "Library_assets") {
      edges {
        node {
          id
          ...Library_card
        }
      }
    }
  }
`;

graphql`
  query LibraryQuery {
    ...Library_assets
  }
`;

graphql`
  mutation LibraryRenameMutation($input: AssetUpdateInput!) {
    assetUpdate(input: $input) {
      asset {
        ...Library_card
      }
      errors {
        __typename
        code
      }
    }
  }
`;
