// Verifies messages with npm's `standardwebhooks`: an array of {secret, headers, body} comes in, one of answers goes out.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ secret, headers, body }) => {
  try {
    return { told: new Webhook(secret).verify(body, headers) };
  } catch (error) {
    return { refused: error.constructor.name };
  }
});
process.stdout.write(JSON.stringify(answers));
