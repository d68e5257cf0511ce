// Uploads over plain HTTP, as the programs that people have send them.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { readJson } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { durationMs, readerAlone, speechIsInstalled, wordErrorRate, writeWav } from "./support/speech.mjs";
import { Subscriber } from "./support/subscriber.mjs";

const skip = !speechIsInstalled()
  ? "pocketsphinx-testdata or asterisk-core-sounds-en-g722 is not installed"
  : !existsSync("/usr/bin/ffmpeg")
    ? "ffmpeg is not installed"
    : false;
const kWordErrorsMax = 0.35; // As in full.test.mjs.
const kPcm = "codec=pcm_s16le&rate=16000";

let server;
let folder;
/** Of a man who reads a novel. */
let sentence;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "qylon-ingest-"));
  const speech = readerAlone();
  const [{ text, endMs }] = speech.turns;
  sentence = { text, endMs, file: join(folder, "sentence.wav") };
  await writeWav(sentence.file, speech.pcm.subarray(0, (endMs + 700) * 32));
  server = await Server.start();
}, { timeout: 120_000 });
after(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** How each kind of program shows the token. */
const curl = () => `curl -sS -H 'Authorization: Bearer ${server.token}'`;
const ffmpegHeader = () => `-headers 'Authorization: Bearer ${server.token}\r\n'`;
const asSource = (url) => url.replace("http://", `icecast://source:${server.token}@`);

const textOf = (captions) => captions.map((caption) => caption.text).join(" ");
const said = (speech) => speech.turns.map((turn) => turn.text).join(" ");

/** Runs a shell pipeline with `input` on its standard input; resolves with what it printed. */
async function pipe(command, input) {
  const child = spawn("sh", ["-c", command], { stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (out += data));
  child.stdin.on("error", () => undefined); // The far end may have heard enough.
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return { code, out };
}

async function transcript(meeting) {
  await server.endMeeting(meeting);
  return readJson(await server.export(meeting, "json"));
}

/** Of a whole speech: its words, and a recording of its length. */
async function assertHeard(meeting, speech, seconds) {
  const length = durationMs(speech.pcm) / 1000;
  assert.ok(Math.abs(seconds - length) < 0.5, `${seconds} s of ${length} s were taken`);
  const captions = await transcript(meeting);
  assert.ok(wordErrorRate(said(speech), textOf(captions)) < kWordErrorsMax, textOf(captions));
}

test("curl uploads PCM from a pipe into a new meeting", { skip, timeout: 180_000 }, async () => {
  const speech = readerAlone();
  const { out } = await pipe(`${curl()} -T - -H Expect: '${server.url}/v1/ingest/new?${kPcm}&title=Piped&speaker=Ann'`, speech.pcm);
  const answer = JSON.parse(out);
  assert.equal(answer.durable, true);
  assert.equal(answer.bytes, speech.pcm.length);
  const { body: meeting } = await server.json("GET", `/api/meetings/${answer.meeting}`);
  assert.equal(meeting.title, "Piped");
  await assertHeard(answer.meeting, speech, answer.seconds);
});

/** What each of these programs writes and how it sends it, of the file $WAV. */
const kEncode = "ffmpeg -v error -nostdin -i $WAV";
const kSenders = {
  "ffmpeg, Ogg Opus, chunked POST": (url) => `${kEncode} -c:a libopus -f ogg -method POST ${ffmpegHeader()} ${url}`,
  "ffmpeg, WebM, chunked POST": (url) => `${kEncode} -c:a libopus -f webm -live 1 -cluster_time_limit 200 -method POST ${ffmpegHeader()} ${url}`,
  "ffmpeg, WAV of unknown size to curl": (url) => `${kEncode} -f wav - | ${curl()} -T - ${url}`,
  "ffmpeg, FLAC to curl": (url) => `${kEncode} -f flac - | curl -sS -u source:${server.token} -T - ${url}`,
  "ffmpeg, MP3 with ID3": (url) => `${kEncode} -f mp3 -method PUT ${ffmpegHeader()} ${url}`,
  "ffmpeg, AAC in ADTS": (url) => `${kEncode} -c:a aac -f adts -method POST ${ffmpegHeader()} ${url}`,
  "ffmpeg, fragmented MP4 to curl": (url) => `${kEncode} -c:a aac -f mp4 -movflags frag_keyframe+empty_moov+default_base_moof -frag_duration 200000 - | ${curl()} -T - ${url}`,
  "ffmpeg, G.711 to curl": (url) => `${kEncode} -f mulaw -ar 8000 - | ${curl()} -H 'Content-Type: audio/basic' -T - ${url}`,
  "ffmpeg, Icecast PUT": (url) => `${kEncode} -c:a libopus -f ogg -content_type audio/ogg ${asSource(url)}`,
  "ffmpeg, old Icecast SOURCE": (url) => `${kEncode} -c:a libopus -f ogg -legacy_icecast 1 ${asSource(url)}`,
  "GStreamer, curlhttpsink": (url) => `gst-launch-1.0 -q filesrc location=$WAV ! wavparse ! audioconvert ! audioresample ! opusenc ! oggmux ! curlhttpsink location=${url} user=source passwd=${server.token} use-content-length=false`,
  "GStreamer, shout2send": (url) => `gst-launch-1.0 -q filesrc location=$WAV ! wavparse ! audioconvert ! audioresample ! opusenc ! oggmux ! shout2send ip=127.0.0.1 port=${new URL(url).port} mount=${new URL(url).pathname} password=${server.token}`,
};
const kHasCurlSink = spawnSync("gst-inspect-1.0", ["curlhttpsink"]).status === 0;
for (const [name, command] of Object.entries(kSenders)) {
  const without = name.includes("curlhttpsink") && !kHasCurlSink ? "curlhttpsink is in gstreamer1.0-plugins-bad" : false;
  test(`an upload is heard: ${name}`, { skip: skip || without, timeout: 120_000 }, async () => {
    const meeting = await server.createMeeting(name);
    const subscriber = await Subscriber.open(server, meeting);
    const { out } = await pipe(`WAV=${sentence.file}; ${command(`${server.url}/v1/ingest/${meeting}`)}`, "");
    // Whoever does not wait for the answer may be gone before all of it was heard.
    await subscriber.wait((s) => s.ofType("status").some((status) => status.position_ms > sentence.endMs), `all of it; ${out}`);
    const captions = await transcript(meeting);
    assert.ok(wordErrorRate(sentence.text, textOf(captions)) < 0.6, `${textOf(captions)} ${out}`);
  });
}

test("garbage is refused with a reason, and the track may be fed again", { skip, timeout: 120_000 }, async () => {
  const meeting = await server.createMeeting("Garbage");
  const garbage = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 2_654_435_761) >>> 24));
  for (const codec of ["auto", "webm"]) {
    const response = await server.fetch(`/v1/ingest/${meeting}?codec=${codec}`, { method: "POST", body: garbage });
    assert.equal(response.status, 415, codec);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
  }
  const { out } = await pipe(`WAV=${sentence.file}; ${kEncode} -f wav - | ${curl()} -T - ${server.url}/v1/ingest/${meeting}`, "");
  assert.ok(JSON.parse(out).seconds > 5, out);
});

test("a body that breaks off keeps what came, and the next one goes on", { skip, timeout: 60_000 }, async () => {
  const meeting = await server.createMeeting("Broken off");
  const subscriber = await Subscriber.open(server, meeting);
  const reaches = (ms) => (s) => s.ofType("status").some((status) => status.position_ms >= ms);
  const fiveSeconds = Buffer.alloc(5 * 32_000);
  const upload = request(`${server.url}/v1/ingest/${meeting}?${kPcm}`, { method: "POST", headers: server.authorization });
  upload.on("error", () => undefined);
  upload.write(fiveSeconds);
  await subscriber.wait(reaches(5_000), "the first half", 20_000);
  upload.destroy();
  const { out } = await pipe(`${curl()} -T - '${server.url}/v1/ingest/${meeting}?${kPcm}'`, fiveSeconds);
  assert.equal(JSON.parse(out).meeting, meeting);
  await subscriber.wait(reaches(10_000), "both halves", 20_000);
});

test("what is wrong with an upload is said, and harms no other", { skip }, async () => {
  const meeting = await server.createMeeting("Refusals");
  const refusal = async (path, init = {}) => {
    const response = await server.fetch(path, { method: "POST", body: "not audio", ...init });
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    return { status: response.status, detail: (await response.json()).detail };
  };
  assert.match((await refusal(`/v1/ingest/${meeting}?codec=midi`)).detail, /midi.*use one of/);
  assert.equal((await refusal(`/v1/ingest/${meeting}?codec=midi`)).status, 415);
  assert.equal((await refusal(`/v1/ingest/${meeting}?codec=pcm_s16le`)).status, 400);
  assert.equal((await refusal(`/v1/ingest/00000000-0000-4000-8000-000000000000?${kPcm}`)).status, 404);
  await server.endMeeting(meeting);
  assert.equal((await refusal(`/v1/ingest/${meeting}?${kPcm}`)).status, 409);
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
});

test("the newest upload feeds the track; the older one is told", { skip, timeout: 60_000 }, async () => {
  const meeting = await server.createMeeting("Taken over");
  const older = request(`${server.url}/v1/ingest/${meeting}?${kPcm}`, { method: "POST", headers: server.authorization });
  older.on("error", () => undefined);
  older.write(Buffer.alloc(6400));
  const answered = once(older, "response");
  const subscriber = await Subscriber.open(server, meeting);
  await subscriber.wait((s) => s.ofType("status").some((status) => status.state === "live"), "the first upload");
  const { out } = await pipe(`${curl()} -T - '${server.url}/v1/ingest/${meeting}?${kPcm}'`, Buffer.alloc(32000));
  assert.equal(JSON.parse(out).seconds, 1);
  const [response] = await answered;
  assert.equal(response.statusCode, 409);
});

test("a source client shows its password when it is asked", { skip, timeout: 120_000 }, async () => {
  const url = `${server.url}/v1/ingest/new?${kPcm}`;
  const { out: refused } = await pipe(`curl -sS -D - -T - '${url}'`, Buffer.alloc(640));
  assert.match(refused, /401 Unauthorized/);
  assert.match(refused, /WWW-Authenticate: Basic/i);
  const { out } = await pipe(`curl -sS -u 'source:${server.token}' -T - '${url}'`, Buffer.alloc(32000));
  assert.equal(JSON.parse(out).seconds, 1);
});

test("who watches a meeting that ends before any audio is told", { skip }, async () => {
  const meeting = await server.createMeeting("Never begun");
  const subscriber = await Subscriber.open(server, meeting);
  await subscriber.wait((s) => s.ofType("status").some((status) => status.state === "created"), "the first status");
  await server.endMeeting(meeting);
  await subscriber.wait((s) => s.ofType("status").some((status) => status.state === "ended"), "the end", 5_000);
});

test("a recording can be sought", { skip, timeout: 60_000 }, async () => {
  const meeting = await server.createMeeting("Sought");
  await pipe(`${curl()} -T - '${server.url}/v1/ingest/${meeting}?${kPcm}'`, Buffer.alloc(10 * 32_000));
  await server.endMeeting(meeting);
  const path = `/api/meetings/${meeting}/tracks/0/audio`;
  const whole = Buffer.from(await (await server.fetch(path)).arrayBuffer());
  const part = await server.fetch(path, { headers: { Range: "bytes=100-199" } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get("content-range"), `bytes 100-199/${whole.length}`);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(100, 200));
  assert.equal((await server.fetch(path, { headers: { Range: `bytes=${whole.length}-` } })).status, 416);
});
