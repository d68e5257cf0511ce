// Wrong uplinks, subscriptions and requests. Each gets its documented error and close code or status,
// while a good stream beside them loses nothing.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";

import { oggOpusMs } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { readerAlone, speechIsInstalled } from "./support/speech.mjs";
import { Subscriber } from "./support/subscriber.mjs";
import { frame, GoodStream, hello, UplinkSocket } from "./support/uplink_socket.mjs";

const kNobody = "00000000-0000-4000-8000-000000000000";
const kTenSecondsMs = 10_000;

let server;
let meeting; // Gets the wrong uplinks.
let endedMeeting;
let good;
let goodMeeting;
let goodReader;

before(async () => {
  server = await Server.start();
  meeting = await server.createMeeting("Wrong");
  endedMeeting = await server.createMeeting("Ended");
  await server.endMeeting(endedMeeting);
  goodMeeting = await server.createMeeting("Good");
  goodReader = await Subscriber.open(server, goodMeeting);
  const pcm = speechIsInstalled() ? readerAlone().pcm : Buffer.alloc(640 * 50);
  good = new GoodStream(server, goodMeeting, pcm);
}, { timeout: 120_000 });
after(() => server?.stop());

function within(promise, what, timeoutMs = kTenSecondsMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Connects, sends `messages`, and gives the error frame and the close code. With `welcome` the
 *  first message is a good hello, whose welcome is awaited. With `goOn` the last message is sent
 *  again and again, as a stream would go on, because some faults are found behind the connection. */
async function refusal({ path = "/v1/uplink", messages = [], welcome = false, goOn = false, options }) {
  const socket = new UplinkSocket(server, { path, ...options });
  await within(socket.opened, "the upgrade");
  if (welcome) {
    socket.send(hello(meeting, welcome === true ? {} : welcome));
    assert.ok(await within(socket.next("welcome"), "the welcome"), JSON.stringify(socket.messages));
  }
  for (const message of messages) socket.send(message);
  const again = goOn ? setInterval(() => socket.send(messages.at(-1)), 50) : undefined;
  void socket.closed.then(() => clearInterval(again));
  const close = await within(socket.closed, "the close");
  const error = socket.messages.find((message) => message.type === "error");
  return { code: error?.code, close, message: error?.message ?? "", announced: error?.close };
}

const uplinkCases = [
  // What a hello may not be.
  ["text that is no JSON", { messages: ["hello"] }, "invalid_argument", 4503],
  ["JSON that is no object", { messages: ["[1]"] }, "invalid_argument", 4503],
  ["an object without a type", { messages: [{}] }, "invalid_argument", 4503],
  ["an unknown type", { messages: [{ type: "greetings" }] }, "invalid_argument", 4503],
  ["a subscriber's message", { messages: [{ type: "subscribe", topics: [] }] }, "invalid_argument", 4503],
  ["a depth bomb", { messages: [`{"type":"hello","x":${"[".repeat(5000)}${"]".repeat(5000)}}`] }, "invalid_argument", 4503],
  ["a message over 16 KiB", { messages: [{ type: "hello", x: "x".repeat(17_000) }] }, "invalid_argument", 4503],
  ["a meeting that is no UUID", { messages: [hello("12")] }, "invalid_argument", 4503],
  ["no clock", { messages: [{ ...hello(kNobody), clock: undefined }] }, "invalid_argument", 4503],
  ["a clock that is no UUID", { messages: [hello(kNobody, { clock: { id: "x" } })] }, "invalid_argument", 4503],
  ["no tracks", { messages: [hello(kNobody, { tracks: [] })] }, "invalid_argument", 4503],
  ["33 tracks", { messages: [hello(kNobody, { tracks: Array.from({ length: 33 }, (_, track) => ({ ...hello("").tracks[0], track })) })] }, "invalid_argument", 4503],
  ["one track twice", { messages: [hello(kNobody, { tracks: [hello("").tracks[0], hello("").tracks[0]] })] }, "invalid_argument", 4503],
  ["a track over 65535", { messages: [hello(kNobody, { track: { track: 65536 } })] }, "invalid_argument", 4503],
  ["a negative track", { messages: [hello(kNobody, { track: { track: -1 } })] }, "invalid_argument", 4503],
  ["a wrong codec", { messages: [hello(kNobody, { track: { codec: "vorbis" } })] }, "invalid_argument", 4504],
  ["a wrong sample rate", { messages: [hello(kNobody, { track: { sample_rate_hz: 3999 } })] }, "invalid_argument", 4504],
  ["three channels", { messages: [hello(kNobody, { track: { channels: 3 } })] }, "invalid_argument", 4504],
  ["a label that is too long", { messages: [hello(kNobody, { track: { label: "x".repeat(300) } })] }, "invalid_argument", 4503],
  ["a wrong token", { messages: [hello(kNobody, { token: "qyl_wrong" })] }, "unauthenticated", 4500],
  ["an unknown meeting", { messages: [hello(kNobody)] }, "not_found", 4507],
  ["a frame before hello", { messages: [frame()] }, "invalid_argument", 4503],
  // What a frame may not be.
  ["a second hello", { welcome: true, messages: [hello(kNobody)] }, "invalid_argument", 4503],
  ["a frame of 19 bytes", { welcome: { track: { track: 1 } }, messages: [Buffer.alloc(19, 1)] }, "invalid_argument", 4503],
  ["an empty frame", { welcome: { track: { track: 2 } }, messages: [Buffer.alloc(0)] }, "invalid_argument", 4503],
  ["another version", { welcome: { track: { track: 3 } }, messages: [frame({ version: 2, track: 3 })] }, "invalid_argument", 4503],
  ["unknown flags", { welcome: { track: { track: 4 } }, messages: [frame({ flags: 0x80, track: 4 })] }, "invalid_argument", 4503],
  ["no payload", { welcome: { track: { track: 5 } }, messages: [frame({ track: 5, payload: Buffer.alloc(0) })] }, "invalid_argument", 4503],
  ["a payload over 32 KiB", { welcome: { track: { track: 6 } }, messages: [frame({ track: 6, payload: Buffer.alloc(32_769) })] }, "invalid_argument", 4503],
  ["a track that hello did not name", { welcome: { track: { track: 7 } }, messages: [frame({ track: 8 })] }, "invalid_argument", 4503],
  ["a sequence number hours ahead", { welcome: { track: { track: 9 } }, goOn: true, messages: [frame({ track: 9 }), frame({ track: 9, seq: 1_000_000, captureUs: 20_000 })] }, "invalid_argument", 4503],
  ["a capture time hours ahead", { welcome: { track: { track: 10 } }, goOn: true, messages: [frame({ track: 10 }), frame({ track: 10, seq: 1, captureUs: 3 * 3_600_000_000 })] }, "invalid_argument", 4503],
  ["text for audio", { welcome: { track: { track: 11 } }, messages: ["AAAA"] }, "invalid_argument", 4503],
];

const subscribeCases = [
  ["text that is no JSON", { messages: ["{"] }, "invalid_argument", 4503],
  ["binary", { messages: [Buffer.from([1, 2, 3])] }, "invalid_argument", 4503],
  ["an unknown type", { messages: [{ type: "hello" }] }, "invalid_argument", 4503],
  ["no topics", { messages: [{ type: "subscribe", topics: [] }] }, "invalid_argument", 4503],
  ["129 topics", { messages: [{ type: "subscribe", topics: Array.from({ length: 129 }, () => `meeting/${randomUUID()}/status`) }] }, "invalid_argument", 4503],
  ["an unknown topic", { messages: [{ type: "subscribe", topics: [`meeting/${kNobody}/secrets`] }] }, "invalid_argument", 4503],
  ["an unknown meeting", { messages: [{ type: "subscribe", topics: [`meeting/${kNobody}/captions`] }] }, "not_found", 4507],
  ["an epoch that is no UUID", { messages: [{ type: "subscribe", topics: [`meeting/${kNobody}/captions`], from: { epoch: "x", offset: 1 } }] }, "invalid_argument", 4503],
  ["a negative offset", { messages: [{ type: "subscribe", topics: [`meeting/${kNobody}/captions`], from: { epoch: kNobody, offset: -1 } }] }, "invalid_argument", 4503],
  ["a wrong token", { messages: [{ type: "subscribe", topics: [`meeting/${kNobody}/captions`], token: "x" }] }, "unauthenticated", 4500],
];

describe("uplink", () => {
  for (const [what, attempt, code, close] of uplinkCases) {
    test(`${what} is refused`, async () => {
      const got = await refusal(attempt);
      assert.deepEqual({ code: got.code, close: got.close, announced: got.announced }, { code, close, announced: close }, got.message);
      assert.ok(got.message.length > 10, "the error says nothing");
    });
  }

  test("an ended meeting is refused", async () => {
    const got = await refusal({ messages: [hello(endedMeeting)] });
    assert.deepEqual([got.code, got.close], ["conflict", 4506]);
  });

  test("a newer connection takes the track over", async () => {
    const track = { track: 20 };
    const older = new UplinkSocket(server);
    await within(older.opened, "the upgrade");
    const message = hello(meeting, { track });
    older.send(message);
    await within(older.next("welcome"), "the welcome");
    const newer = new UplinkSocket(server);
    await within(newer.opened, "the upgrade");
    newer.send(message);
    assert.ok(await within(newer.next("welcome"), "the second welcome"));
    older.send(frame(track));
    assert.equal(await within(older.closed, "the close"), 4501);
    newer.socket.close(1000);
  });

  test("silence after the upgrade is closed with 4002", async () => {
    const got = await refusal({});
    assert.deepEqual([got.code, got.close], ["invalid_argument", 4002]);
  });

  test("text that is not UTF-8 is closed with 1007", async () => {
    const socket = new UplinkSocket(server);
    await within(socket.opened, "the upgrade");
    socket.socket.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false });
    assert.equal(await within(socket.closed, "the close"), 1007);
  });

  test("a message over 64 KiB is closed with 1009", async () => {
    const socket = new UplinkSocket(server);
    await within(socket.opened, "the upgrade");
    socket.send(Buffer.alloc(70_000));
    assert.equal(await within(socket.closed, "the close"), 1009);
  });

  test("a flood of control messages is closed with 4005", async () => {
    const got = await refusal({ messages: Array.from({ length: 200 }, () => ({ type: "ping" })) });
    assert.equal(got.close, 4005);
  });

  test("an unknown sub-protocol is refused before the upgrade", async () => {
    const socket = new UplinkSocket(server, { protocols: ["mqtt"] });
    assert.equal(await within(socket.refused, "the refusal"), 400);
  });

  test("a foreign origin is refused before the upgrade", async () => {
    const socket = new UplinkSocket(server, { headers: { Origin: "http://evil.example" } });
    assert.equal(await within(socket.refused, "the refusal"), 403);
  });

  test("an unknown path is refused before the upgrade", async () => {
    const socket = new UplinkSocket(server, { path: "/v2/uplink" });
    assert.equal(await within(socket.refused, "the refusal"), 404);
  });
});

describe("subscribe", () => {
  for (const [what, attempt, code, close] of subscribeCases) {
    test(`${what} is refused`, async () => {
      const got = await refusal({ path: "/v1/subscribe", ...attempt });
      assert.deepEqual({ code: got.code, close: got.close }, { code, close }, got.message);
    });
  }
});

/** Sends bytes as they are and gives the status of the answer; 0 when there is none. */
async function rawStatus(text) {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  let answer = "";
  const status = new Promise((resolve) => {
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      const line = /^HTTP\/1\.[01] (\d{3}) /.exec(answer);
      if (line !== null) resolve(Number(line[1]));
    });
    socket.on("close", () => resolve(0));
  });
  socket.write(text, "latin1");
  try {
    return await within(status, "an answer");
  } finally {
    socket.destroy();
  }
}

const host = "Host: 127.0.0.1\r\n";
const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const rawCases = [
  ["Content-Length and Transfer-Encoding", `POST /api/meetings HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ["two Content-Lengths", `POST /api/meetings HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `, 400],
  ["a Content-Length that is no number", `POST /api/meetings HTTP/1.1\r\n${host}Content-Length: +2\r\n\r\n{}`, 400],
  ["a body over 1 MiB", `POST /api/meetings HTTP/1.1\r\n${host}Content-Length: 1048577\r\n\r\n`, 413],
  ["an unknown Transfer-Encoding", `POST /api/meetings HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`, 501],
  ["broken chunks", `POST /api/meetings HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
  ["no Host", "GET /health HTTP/1.1\r\n\r\n", 400],
  ["a foreign origin", `GET /api/meetings HTTP/1.1\r\n${host}Origin: http://evil.example\r\n\r\n`, 403],
  ["an upgrade to h2c", `GET / HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`, 400],
  ["an old WebSocket version", `GET /v1/subscribe HTTP/1.1\r\n${host}${upgrade.replace("13", "12")}\r\n`, 426],
  ["a WebSocket key of the wrong length", `GET /v1/subscribe HTTP/1.1\r\n${host}${upgrade.replace("dGhlIHNhbXBsZSBub25jZQ==", "short")}\r\n`, 400],
  ["a path with ..", `GET /api/../../etc/passwd HTTP/1.1\r\n${host}\r\n`, [400, 404]],
];

describe("HTTP on the wire", () => {
  for (const [what, bytes, status] of rawCases) {
    test(`${what} gets ${status}`, async () => {
      const got = await rawStatus(bytes);
      assert.ok([status].flat().includes(got), `${got} instead of ${status}`);
    });
  }
});

const requestCases = [
  ["an unknown route", "GET", "/api/nothing", undefined, 404],
  ["an unknown page", "GET", "/nothing", undefined, 404],
  ["a method that a route does not take", "DELETE", "/api/meetings", undefined, 405],
  ["a method that a page does not take", "POST", "/", "{}", 405],
  ["a meeting that is no UUID", "GET", "/api/meetings/12", undefined, 400],
  ["an unknown meeting", "GET", `/api/meetings/${kNobody}`, undefined, 404],
  ["the end of an unknown meeting", "POST", `/api/meetings/${kNobody}/end`, "", 404],
  ["an unknown export format", "GET", `/api/meetings/${kNobody}/export?format=pdf`, undefined, 400],
  ["no export format", "GET", `/api/meetings/${kNobody}/export`, undefined, 400],
  ["an unknown meeting's export", "GET", `/api/meetings/${kNobody}/export?format=srt`, undefined, 404],
  ["a track that is no number", "GET", `/api/meetings/${kNobody}/tracks/x/audio`, undefined, 400],
  ["a limit out of range", "GET", "/api/meetings?limit=100000", undefined, 400],
  ["a cursor that is none", "GET", "/api/meetings?before=x", undefined, 400],
  ["a body that is no JSON", "POST", "/api/meetings", "{", 400],
  ["a body that is no object", "POST", "/api/meetings", "[]", 400],
  ["a body that is not UTF-8", "POST", "/api/meetings", Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400],
  ["a depth bomb", "POST", "/api/meetings", "[".repeat(100_000), 400],
  ["a title that is no string", "POST", "/api/meetings", '{"title":5}', 400],
  ["a title that is too long", "POST", "/api/meetings", JSON.stringify({ title: "x".repeat(201) }), 400],
  ["a title with U+0000", "POST", "/api/meetings", '{"title":"\\u0000"}', 400],
  ["a glossary that is too long", "POST", "/api/meetings", JSON.stringify({ glossary: Array(201).fill("x") }), 400],
  ["a wrong token", "GET", "/api/meetings", undefined, 401, { Authorization: "Bearer qyl_wrong" }],
];

describe("HTTP requests", () => {
  for (const [what, method, path, body, status, headers] of requestCases) {
    test(`${what} gets ${status}`, async () => {
      const response = await server.fetch(path, { method, body, headers });
      const problem = await response.json();
      assert.equal(response.status, status, JSON.stringify(problem));
      assert.match(response.headers.get("content-type"), /^application\/problem\+json/);
      assert.equal(problem.status, status);
      assert.equal(problem.type, "about:blank");
      assert.ok(problem.title !== "" && problem.code !== "" && problem.detail.length > 5);
      if (status === 405) assert.ok(response.headers.get("allow"));
    });
  }
});

test("the good stream beside all that lost nothing", async () => {
  const ack = await good.finish();
  assert.deepEqual([ack.next_seq, ack.durable], [good.sent, good.sent]);
  assert.equal(good.uplink.messages.find((message) => message.type === "error"), undefined);
  await server.endMeeting(goodMeeting);
  const { bytes } = await server.ask("GET", `/api/meetings/${goodMeeting}/tracks/0/audio`);
  const sentMs = good.sent * GoodStream.kFrameMs;
  assert.ok(Math.abs(oggOpusMs(bytes) - sentMs) <= 100, `${oggOpusMs(bytes)} ms recorded of ${sentMs}`);
  await goodReader.wait((s) => s.ofType("status").some((status) => status.state === "ended"), "the end");
  assert.deepEqual(goodReader.numbered.map((message) => message.offset), goodReader.numbered.map((_, i) => i + 1));
  if (speechIsInstalled()) assert.ok(goodReader.finals.length >= 1, "nothing was understood");
  assert.equal((await server.ask("GET", "/health")).status, 200);
});
