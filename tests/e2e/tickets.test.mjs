// Nobody without a token but who has a ticket or a share link.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import WebSocket from "ws";

import { launchChromium, skip } from "./support/chromium.mjs";
import { Server } from "./support/server.mjs";

let server;
let meeting;
before(async () => {
  server = await Server.start();
  meeting = (await ask("POST", "/api/meetings", { title: "Behind the door" })).body.id;
}, { timeout: 120_000 });
after(async () => {
  await server?.stop();
});

async function ask(method, path, body, headers = server.authorization) {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...headers, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The close code of a session, or "open" once it was told its position. */
function subscribe(ticket, wanted = meeting) {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/v1/subscribe?ticket=${ticket}`, "qylon.v1");
  return new Promise((resolve) => {
    socket.on("open", () => socket.send(JSON.stringify({ type: "subscribe", topics: [`meeting/${wanted}/captions`] })));
    socket.on("message", (text) => JSON.parse(text).type === "position" && (resolve("open"), socket.close()));
    socket.on("close", (code) => resolve(code));
    socket.on("error", () => resolve("error"));
  });
}

test("without a token every door is closed, also on loopback", { timeout: 60_000 }, async () => {
  const closeOf = (path, message) =>
    new Promise((resolve) => {
      const socket = new WebSocket(server.url.replace("http", "ws") + path, "qylon.v1");
      socket.on("open", () => socket.send(JSON.stringify(message)));
      socket.on("close", resolve);
    });
  assert.equal(await closeOf("/v1/subscribe", { type: "subscribe", topics: [`meeting/${meeting}/captions`] }), 4500);
  const track = { track: 0, codec: "opus", sample_rate_hz: 48000, channels: 1 };
  const hello = { type: "hello", meeting, clock: { id: randomUUID() }, tracks: [track] };
  assert.equal(await closeOf("/v1/uplink", hello), 4500);
  for (const method of ["POST", "PUT"])
    assert.equal((await fetch(`${server.url}/v1/ingest/${meeting}?codec=pcm_s16le&rate=16000`, { method, body: "0" })).status, 401);
  for (const path of ["/metrics", "/ready", "/api/meetings", `/api/meetings/${meeting}/export?format=txt`])
    assert.equal((await fetch(server.url + path)).status, 401, path);
  for (const path of ["/", `/m/${meeting}`, "/health"]) assert.equal((await fetch(server.url + path)).status, 200, path);
});

test("a client of ours that is refused says in one line what to do", { timeout: 60_000 }, async () => {
  const closed = await server.run(["export", meeting], { env: { QYLON_TOKEN: "" } });
  assert.equal(closed.code, 1);
  assert.match(closed.stderr, /^qylon export: the server wants a token: put it into QYLON_TOKEN, or [^\n]*--token-file[^\n]*\n$/);
  const wrong = await server.run(["uplink", "none.wav", "--meeting", meeting], { env: { QYLON_TOKEN: "qyl_wrong" } });
  assert.ok(!wrong.stderr.includes("qyl_wrong"));
  const named = await server.run(["export", meeting, "--token-file", join(server.dataDir, "token")], { env: { QYLON_TOKEN: "" } });
  assert.equal(named.code, 0, named.stderr);
});

test("a ticket opens one WebSocket, once, for its meeting and verb", { timeout: 60_000 }, async () => {
  const ticket = async (verb) => (await ask("POST", "/api/tickets", { meeting, verb })).body.ticket;
  const once = await ticket("subscribe");
  assert.equal(await subscribe(once), "open");
  assert.equal(await subscribe(once), 4500);
  assert.equal(await subscribe(await ticket("uplink")), 4502);
  const other = (await ask("POST", "/api/meetings", {})).body.id;
  assert.equal(await subscribe(await ticket("subscribe"), other), 4502);
  assert.equal((await ask("POST", "/api/tickets", { meeting, verb: "subscribe" }, {})).status, 401);
});

test("tickets and links are in no line of the log", { timeout: 60_000 }, async () => {
  const link = (await ask("POST", `/api/meetings/${meeting}/shares`, {})).body;
  const { ticket } = (await ask("POST", "/api/tickets", { share: link.secret }, {})).body;
  assert.equal(await subscribe(ticket), "open");
  await ask("GET", `/api/meetings/${meeting}?ticket=${ticket}&share=${link.secret}`);
  assert.match(server.log.text, /http\.request/);
  for (const secret of [ticket, link.secret, server.token]) assert.ok(!server.log.text.includes(secret));
});

test("what is done with an Idempotency-Key is done once, and traces go on", { timeout: 60_000 }, async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { ...server.authorization, "Idempotency-Key": randomUUID(), traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  const first = await ask("POST", "/api/meetings", { title: "Once" }, headers);
  const again = await ask("POST", "/api/meetings", { title: "Once" }, headers);
  assert.equal(again.status, 201);
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers.get("Idempotency-Replayed"), "true");
  assert.ok(first.headers.get("traceparent").startsWith(`00-${trace}-`));
  assert.ok(server.log.text.includes(`trace_id=${trace}`));
  assert.equal((await ask("POST", "/api/meetings", { title: "Twice" }, headers)).status, 422);
});

test("health has the shape that probes know", { timeout: 60_000 }, async () => {
  for (const path of ["/health", "/api/health"]) {
    const { status, body } = await ask("GET", path, undefined, {});
    assert.equal(status, 200);
    assert.equal(body.status, "healthy");
    assert.equal(body.service, "qylon");
    assert.ok(!Number.isNaN(Date.parse(body.timestamp)) && body.version !== "");
    for (const check of ["database", "redis", "external_apis", "memory_usage", "cpu_usage"]) assert.ok(check in body.checks, check);
  }
  const metrics = await (await server.fetch("/metrics")).text();
  assert.match(metrics, /http_requests_total\{method="GET",route="\/health",status_code="200"\} [1-9]/);
  assert.match(metrics, /database_query_duration_seconds_bucket\{operation="insert",table="meetings",le="\+Inf"\} [1-9]/);
  assert.match(metrics, /qylon_http_request_seconds_bucket\{method="POST",route="\/api\/meetings",le="0.1"\} [1-9]/);
});

test("the alerting rules name metrics that are there", { timeout: 60_000 }, async () => {
  // A meeting with audio brings the metrics of meetings.
  const body = Buffer.alloc(16_000);
  await server.fetch("/v1/ingest/new?codec=pcm_s16le&rate=16000", { method: "PUT", body });
  const rules = await readFile(new URL("../../deploy/alerts.yml", import.meta.url), "utf8");
  const page = await (await server.fetch("/metrics")).text();
  const known = new Set([...page.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]));
  const exprs = [...rules.matchAll(/^ +expr: (.+)$/gm)].map((match) => match[1]);
  assert.ok(exprs.length > 10);
  for (const expr of exprs) {
    const names = expr.replace(/"[^"]*"|by \([^)]*\)/g, "").match(/\b(qylon|http|database|process|node)_[a-z0-9_]+/g);
    for (const name of names) assert.ok(known.has(name.replace(/_bucket$/, "")), name);
  }
});

test("errors are reported where the operator says", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "qylon-reports-"));
  const reports = [];
  const collector = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    reports.push({ path: request.url, event: JSON.parse(body.split("\n")[2]) });
    response.end("{}");
  });
  await new Promise((ready) => collector.listen(0, "127.0.0.1", ready));
  await writeFile(join(folder, "dsn"), `http://key@127.0.0.1:${collector.address().port}/7\n`);
  await writeFile(join(folder, "conf"), "log-level = info\n");
  const other = await Server.start({ flags: ["--config", join(folder, "conf"), "--error-reports-file", join(folder, "dsn")] });
  try {
    await writeFile(join(folder, "conf"), "log-level = loud\n");
    other.child.kill("SIGHUP");
    for (const until = Date.now() + 10_000; reports.length === 0 && Date.now() < until; ) await new Promise((next) => setTimeout(next, 50));
    assert.equal(reports[0].path, "/api/7/envelope/");
    assert.equal(reports[0].event.message.formatted, "settings.refused");
  } finally {
    await other.stop();
    collector.close();
    await rm(folder, { recursive: true });
  }
});

test("a page with a share link shows the captions, until the link is revoked", { skip, timeout: 120_000 }, async () => {
  const link = (await ask("POST", `/api/meetings/${meeting}/shares`, {})).body;
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(server.url + link.path);
    await page.waitForFunction(() => document.getElementById("state").textContent === "Not started", { timeout: 30_000 });
    assert.equal(await page.$eval("#share", (button) => button.hidden), true);
    assert.equal(await page.$eval("#token-dialog", (dialog) => dialog.open), false);
    assert.equal((await ask("DELETE", `/api/meetings/${meeting}/shares/${link.id}`)).status, 200);
    await page.reload();
    await page.waitForFunction(() => document.getElementById("state").dataset.state === "stopped", { timeout: 30_000 });
    assert.equal((await ask("POST", "/api/tickets", { share: link.secret }, {})).status, 401);
  } finally {
    await browser.close();
  }
});
