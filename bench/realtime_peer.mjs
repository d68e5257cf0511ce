// The npm package `ws` on the same terms as the benches of the edge: prints its port, then "ready"
// when `connections` clients are there, then the CPU microseconds of its part.
// Usage: node bench/realtime_peer.mjs fanout CONNECTIONS MESSAGES
//        node bench/realtime_peer.mjs ingest CONNECTIONS MESSAGES_IN_ALL

import { createRequire } from "node:module";

const require = createRequire(new URL("../tests/e2e/package.json", import.meta.url));
const { WebSocketServer } = require("ws");

const [mode, connections, messages] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", backlog: 4096 });
let received = 0;
let before;

function finish() {
  const { user, system } = process.cpuUsage(before);
  console.log(user + system);
  process.exit(0);
}

function broadcast(left) {
  if (left === 0) return finish();
  const caption = "x".repeat(250);
  for (const client of server.clients) client.send(caption);
  setTimeout(broadcast, 100, left - 1);
}

server.on("listening", () => console.log(server.address().port));
server.on("connection", (client) => {
  client.on("message", () => {
    if (mode === "ingest" && ++received === messages) finish();
  });
  if (server.clients.size < connections) return;
  setTimeout(() => {
    console.log("ready");
    before = process.cpuUsage();
    if (mode === "fanout") broadcast(messages);
  }, 500);
});
