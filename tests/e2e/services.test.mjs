// Several ports of one process, and several processes over one PostgreSQL.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { freePort } from "./support/free_port.mjs";
import { run, Server } from "./support/server.mjs";

const kPassword = "correct horse battery";
const kKeys = ["token", "identity-key", "master-keys", "audit-key"];

let ports;
let server;
let second;
let folder;
before(async () => {
  ports = await Promise.all(Array.from({ length: 8 }, freePort));
  server = await Server.start({ flags: ["--sign-up", "--also-listen", ports.join(","), "--site-url", "https://meet.example"] });
  // What makes another process the same server: its keys, and its database.
  folder = await mkdtemp(join(tmpdir(), "qylon-second-"));
  for (const key of kKeys) await copyFile(join(server.dataDir, key), join(folder, key));
  second = await Server.start({
    dataDir: folder,
    flags: ["--services", "clients", "--database-url", databaseUrl(server.dataDir), "--site-url", "https://meet.example"],
  });
}, { timeout: 180_000 });
after(async () => {
  await second?.stop();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** The private PostgreSQL of `dataDir`, as its owner. */
function databaseUrl(dataDir) {
  return `host=${dataDir}/postgres/socket user=qylon_owner dbname=qylon`;
}

async function ask(url, method, path, { token, body, headers } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

test("every port answers alike", { timeout: 60_000 }, async () => {
  for (const port of ports) {
    const url = `http://127.0.0.1:${port}`;
    assert.equal((await ask(url, "GET", "/health")).body.service, "qylon");
    assert.equal((await ask(url, "GET", "/api/clients", { token: server.token })).status, 200);
    assert.equal((await ask(url, "GET", "/api/clients")).status, 401);
  }
});

test("a process answers the services that it is told to, and no others", { timeout: 60_000 }, async () => {
  const status = async (path) => (await ask(second.url, "GET", path, { token: server.token })).status;
  assert.equal(await status("/api/clients"), 200);
  assert.equal(await status("/health"), 200);
  for (const path of ["/api/meetings", "/api/users/me", "/api/orgs", "/auth/v1/settings", "/api/files/a/b"])
    assert.equal(await status(path), 404, path);
  const paths = Object.keys((await ask(second.url, "GET", "/api/openapi.json")).body.paths);
  assert.ok(paths.includes("/api/clients") && !paths.includes("/api/users/me"));
  const wrong = await run(["serve", "--data-dir", folder, "--services", "clients,sales"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /there are users, orgs, clients, meetings and files/);
});

test("what one process takes another one knows: logins, rows, keys of requests and sign-outs", { timeout: 60_000 }, async () => {
  const signedUp = await ask(server.url, "POST", "/auth/v1/signup", { body: { email: "kim@example.org", password: kPassword } });
  const token = signedUp.body.access_token;
  const org = (await ask(server.url, "POST", "/api/orgs", { token, body: { name: "Kim's" } })).body.id;
  const headers = { "X-Org-Id": org, "Idempotency-Key": randomUUID() };
  const made = await ask(server.url, "POST", "/api/clients", { token, headers, body: { name: "Acme" } });
  assert.equal(made.status, 201);
  const again = await ask(second.url, "POST", "/api/clients", { token, headers, body: { name: "Acme" } });
  assert.equal(again.headers.get("Idempotency-Replayed"), "true");
  const { items } = (await ask(second.url, "GET", "/api/clients", { token, headers: { "X-Org-Id": org } })).body;
  assert.deepEqual(items.map((client) => client.id), [made.body.id]);
  const patched = await ask(second.url, "PATCH", `/api/clients/${made.body.id}`, { token, headers: { "X-Org-Id": org }, body: { name: "Acme 2" } });
  assert.equal(patched.status, 200);
  const seen = await ask(server.url, "GET", `/api/clients/${made.body.id}`, { token, headers: { "X-Org-Id": org } });
  assert.equal(seen.body.name, "Acme 2");

  assert.equal((await ask(server.url, "POST", "/auth/v1/logout", { token })).status, 204);
  let status = 200;
  for (const until = Date.now() + 20_000; status !== 401 && Date.now() < until; await new Promise((next) => setTimeout(next, 200)))
    status = (await ask(second.url, "GET", "/api/clients", { token, headers: { "X-Org-Id": org } })).status;
  assert.equal(status, 401);
});
