// What the reader of browsers says of the credentials in a file, as JSON: file, media type, root certificate in PEM.
// node read.mjs <packages> <file> <type> <root>
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, path, type, root] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${packages}/`));
const { WasmReader, initSync } = await import(pathToFileURL(require.resolve("@contentauth/c2pa-wasm")));
initSync({ module: readFileSync(require.resolve("@contentauth/c2pa-wasm/c2pa.wasm")) });
const settings = {
  verify: { verify_trust: true, remote_manifest_fetch: false },
  trust: { trust_anchors: readFileSync(root, "utf8") },
};
const reader = await WasmReader.fromBytes(type, new Uint8Array(readFileSync(path)), JSON.stringify(settings));
console.log(reader.json());
