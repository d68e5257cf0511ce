// The server behind its own TLS, and every client of ours against it.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server } from "./support/server.mjs";
import { readerAlone, speechIsInstalled, writeWav } from "./support/speech.mjs";

const skip = !speechIsInstalled()
  ? "pocketsphinx-testdata or asterisk-core-sounds-en-g722 is not installed"
  : spawnSync("openssl", ["version"]).status !== 0
    ? "openssl is not installed"
    : false;

let folder;
let certificate;
let server;
let url;
let trusting;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "qylon-tls-"));
  certificate = join(folder, "certificate.pem");
  const made = spawnSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
    "-keyout", join(folder, "key.pem"), "-out", certificate,
  ]);
  assert.equal(made.status, 0, made.stderr?.toString());
  server = await Server.start({ flags: ["--tls-certificate", certificate, "--tls-key", join(folder, "key.pem")] });
  url = `https://localhost:${server.port}`;
  trusting = { env: { QYLON_SERVER: url, SSL_CERT_FILE: certificate } };
}, { timeout: 120_000 });
after(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** JSON of a route; Node's fetch cannot be told whom to trust. */
async function ask(method, path, body) {
  const asked = request(url + path, { method, ca: await readFile(certificate), headers: server.authorization });
  asked.end(body);
  const [answer] = await once(asked, "response");
  let text = "";
  for await (const piece of answer) text += piece;
  return JSON.parse(text);
}

test("qylon uplink and qylon export speak TLS to a server that they trust", { skip, timeout: 120_000 }, async () => {
  const { id } = await ask("POST", "/api/meetings", '{"title":"Behind TLS"}');
  const file = join(folder, "speech.wav");
  await writeWav(file, readerAlone().pcm.subarray(0, 20 * 32_000));
  const sent = await server.run(["uplink", file, "--fast", "--meeting", id], trusting);
  assert.equal(sent.code, 0, sent.stderr + sent.stdout);
  await ask("POST", `/api/meetings/${id}/end`);
  const exported = await server.run(["export", id], trusting);
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(exported.stdout, /^Behind TLS\n[^]*Speaker 1: \w+/);
});

test("a certificate that nobody vouches for is refused", { skip }, async () => {
  const exported = await server.run(["export", "00000000-0000-4000-8000-000000000000"], { env: { QYLON_SERVER: url } });
  assert.equal(exported.code, 1);
  assert.match(exported.stderr, /certificate/);
});

test("an upload over TLS is taken whole", { skip, timeout: 60_000 }, async () => {
  const pcm = Buffer.alloc(32_000 * 30);
  const child = spawn("curl", ["-sS", "--cacert", certificate, "-u", `source:${server.token}`, "-T", "-", `${url}/v1/ingest/new?codec=pcm_s16le&rate=16000`]);
  let out = "";
  child.stdout.on("data", (data) => (out += data));
  child.stdin.end(pcm);
  await once(child, "close");
  const answer = JSON.parse(out);
  assert.equal(answer.bytes, pcm.length);
  assert.equal(answer.seconds, 30);
});
