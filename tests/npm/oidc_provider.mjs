// usage: node oidc_provider.mjs PORT CLIENTS
// Serves https://github.com/panva/node-oidc-provider as it is by default, with a new key each time that it starts.
// It has the CLIENTS, a JSON array of their metadata, and as an account whatever is typed at its login.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, clients] = process.argv.slice(2);
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: JSON.parse(clients),
  jwks: { keys: [{ ...key, use: "sig", kid: String(Date.now()) }] },
  claims: { email: ["email", "email_verified"], profile: ["name"] },
  findAccount: (_, login) => ({
    accountId: login,
    claims: () => ({ sub: login, email: `${login}@example.com`, email_verified: true, name: login }),
  }),
});
provider.listen(Number(port), "127.0.0.1");
