// An HTTP server with the check that ours makes of a token it has seen: its SHA-256 is looked up, and
// what was kept must not have expired. Prints its port.
// Usage: node bench/requests_peer.mjs TOKEN

import { createHash } from "node:crypto";
import { createServer } from "node:http";

const digest = (token) => createHash("sha256").update(token).digest("base64");
const known = new Map([[digest(process.argv[2]), { expires: Date.now() + 3_600_000 }]]);
const body = Buffer.from(JSON.stringify({ status: "ok", text: "x".repeat(60) }));

const server = createServer((request, response) => {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  const claims = scheme === "Bearer" ? known.get(digest(token)) : undefined;
  if (request.url !== "/api/bench" || !claims || claims.expires < Date.now()) {
    response.writeHead(401).end();
    return;
  }
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
