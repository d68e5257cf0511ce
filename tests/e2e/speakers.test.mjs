// Corrections of who spoke: made on the page, seen live by everybody, kept through a kill -9.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launchChromium, skip } from "./support/chromium.mjs";
import { readJson } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { conversation, writeWav } from "./support/speech.mjs";
import { Subscriber } from "./support/subscriber.mjs";


let server;
let browser;
let folder;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "qylon-speakers-"));
  server = await Server.start();
  browser = await launchChromium();
}, { timeout: 120_000 });
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function open(path, answer) {
  const page = await browser.newPage();
  page.on("dialog", (dialog) => dialog.accept(answer));
  await page.goto(server.page(path));
  return page;
}
const namesOn = (page) => page.$$eval("#lines .line:not(.interim) .name", (names) => names.map((name) => name.textContent));
const namesIn = async (meeting) => readJson(await server.export(meeting, "json")).map((caption) => caption.speaker);
const waitForName = (page, name) =>
  page.waitForFunction((wanted) => [...document.querySelectorAll("#lines .name")].some((item) => item.textContent === wanted), name);

test("a second person on the track of one gets a label there, and a hint", { skip, timeout: 200_000 }, async () => {
  const meeting = await server.createMeeting("One microphone");
  const reader = await Subscriber.open(server, meeting);
  const file = join(folder, "shared.wav");
  const { pcm } = conversation(7);
  await writeWav(file, Buffer.concat([pcm, pcm]));
  const streamed = server.uplink(file, meeting, ["--realtime", "--speaker", "Ann"]);
  await reader.wait((s) => s.ofType("status").find((status) => status.hints.some((hint) => hint.kind === "shared")), "the hint", 120_000);
  const told = await server.json("GET", `/api/meetings/${meeting}/speakers`);
  assert.deepEqual(told.body.hints, [{ kind: "shared", tracks: [0] }]);
  const result = await streamed;
  assert.equal(result.code, 0, result.stderr + result.stdout);
  await server.endMeeting(meeting);
  const names = await namesIn(meeting);
  assert.deepEqual([...new Set(names)].sort(), ["Ann", "Ann / voice 2"], JSON.stringify(names));
  await reader.close();
});

test("a speaker is renamed on the page, for everybody, and stays so through a kill -9", { skip, timeout: 200_000 }, async () => {
  const meeting = await server.createMeeting("Who is who");
  const reader = await Subscriber.open(server, meeting);
  const page = await open(`/m/${meeting}`, "Ann Norland");
  const other = await open(`/m/${meeting}`, "");
  const file = join(folder, "conversation.wav");
  await writeWav(file, conversation(4).pcm);
  const streamed = server.uplink(file, meeting, ["--realtime"]);
  await page.waitForSelector("#lines .line:not(.interim) button.name:enabled", { timeout: 60_000 });
  await page.click("#lines .line:not(.interim) button.name:enabled");
  const renamed = await reader.wait((s) => s.ofType("revision").find((revision) => revision.kind === "rename"), "the rename");
  assert.equal(renamed.speaker.provenance, "manual");
  await Promise.all([waitForName(page, "Ann Norland"), waitForName(other, "Ann Norland")]);

  // It was durable when it was shown: a kill takes nothing back.
  await server.kill();
  await server.restart();
  const result = await streamed;
  assert.equal(result.code, 0, result.stderr + result.stdout);
  await server.endMeeting(meeting);
  const names = await namesIn(meeting);
  assert.ok(names.includes("Ann Norland"), JSON.stringify(names));

  // Whoever reads everything again arrives at what the export says, and no number is missing.
  const late = await Subscriber.open(server, meeting);
  await late.wait((s) => s.position && s.numbered.length >= s.position.offset, "everything");
  assert.deepEqual(late.numbered.map((message) => message.offset), late.numbered.map((_, i) => i + 1));
  const byStart = late.finals.filter((final) => final.text !== "").sort((a, b) => a.start_ms - b.start_ms || a.offset - b.offset);
  assert.deepEqual(byStart.map((final) => final.speaker.name || ""), names.map((name) => name || ""));
  await page.waitForFunction(() => document.getElementById("state").textContent === "Ended");
  assert.deepEqual(await namesOn(page), names.map((name) => name || "Unknown"));

  // Corrections after the end: the meeting is over, its readers are told all the same.
  const correct = async (path, body) => {
    let answer;
    for (let i = 0; i < 50 && answer?.status !== 200; ++i) { // A revision can be undone once it is stored.
      answer = await server.json("POST", `/api/meetings/${meeting}/${path}`, body);
    }
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return late.wait((s) => s.ofType("revision").find((revision) => revision.offset === answer.body.offset), path);
  };
  const speakers = () => late.finals.map((final) => final.speaker.key);
  const [one] = late.finals.filter((final) => final.speaker.name === "Ann Norland");
  const split = await correct("speakers", { captions: [one.offset], name: "Ben" });
  assert.equal(split.kind, "split");
  const apart = speakers();
  assert.ok(apart.includes(split.speaker.key));
  const merged = await correct(`speakers/${split.speaker.key}/merge`, { into: one.speaker.key });
  assert.ok(!speakers().includes(split.speaker.key));
  await correct(`revisions/${merged.offset}/undo`);
  assert.deepEqual(speakers(), apart);
  await Promise.all([reader.close(), late.close(), page.close(), other.close()]);
});
