// What graphql-codegen makes of what `python -m server sdl` prints and of the documents in `src`: types, and a manifest to
// register.
import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "schema.graphql",
  documents: "src/*.ts",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: "sha256" } },
      config: {
        documentMode: "string",
        useTypeImports: true,
        importExtension: ".js",
        emitLegacyCommonJSImports: false,
        enumsAsTypes: true,
        scalars: {
          BigInt: { input: "number | string", output: "string" },
          Date: "string",
          DateTime: "string",
          Decimal: { input: "number | string", output: "string" },
          JSON: "unknown",
          Locale: "string",
          Sha256: "string",
          URL: "string",
        },
        strictScalars: true,
      },
    },
  },
};

export default config;
