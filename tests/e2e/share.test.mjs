// Sharing a microphone from the meeting's page, in a real browser whose microphone is a file.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launchChromium, skip } from "./support/chromium.mjs";
import { readJson } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { readerAlone, wordErrorRate, writeWav } from "./support/speech.mjs";
import { Subscriber } from "./support/subscriber.mjs";

const kWordErrorsMax = 0.6; // One sentence, through noise suppression and a lossy encoder.

let server;
let folder;
/** A sentence and a pause, which the microphone plays over and over. */
let sentence;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "qylon-share-"));
  const speech = readerAlone();
  sentence = speech.turns[0].text;
  const spoken = speech.pcm.subarray(0, speech.turns[0].endMs * 32);
  await writeWav(join(folder, "microphone.wav"), Buffer.concat([spoken, Buffer.alloc(3000 * 32)]));
  server = await Server.start();
}, { timeout: 120_000 });
after(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A browser of its own, so that its microphone begins with the sentence. */
const withMicrophone = () =>
  launchChromium(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${join(folder, "microphone.wav")}`]);

async function openPage(browser, meeting) {
  const page = await (await browser.newContext({ viewport: { width: 1000, height: 640 } })).newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  await page.goto(server.page(`/m/${meeting}`));
  return page;
}
const shownShare = (page, text, timeout = 30_000) =>
  page.waitForFunction((wanted) => document.getElementById("share-state").textContent === wanted, text, { timeout });

test("what is said into the browser's microphone is read on the same page", { skip, timeout: 280_000 }, async () => {
  const meeting = await server.createMeeting("Said in a browser");
  const browser = await withMicrophone();
  const page = await openPage(browser, meeting);
  const subscriber = await Subscriber.open(server, meeting);
  await page.click("#share");
  await page.fill("#share-name", "Ann");
  await page.keyboard.press("Enter"); // The microphone is the default.
  await shownShare(page, "Sharing");
  await page.waitForFunction(() => document.getElementById("share-level").value > -50);
  // The sentence was heard; its words may take a busy machine longer.
  await subscriber.wait((s) => s.ofType("status").some((status) => status.position_ms > 9_000), "the sentence");

  // Muted, the meter falls, and the text says so; the button keeps the focus.
  await page.focus("#mute");
  await page.keyboard.press("Space");
  await shownShare(page, "Muted");
  await page.waitForFunction(() => document.getElementById("share-level").value === -60);
  assert.equal(await page.getAttribute("#mute", "aria-pressed"), "true");

  await page.click("#share-stop");
  await page.waitForSelector("#share-bar", { state: "hidden" });
  assert.ok(await page.isVisible("#share"));
  await server.endMeeting(meeting);
  await page.waitForSelector("#lines .line:not(.interim)");
  assert.equal(await page.textContent("#lines .name"), "Ann");
  const captions = readJson(await server.export(meeting, "json"));
  assert.ok(wordErrorRate(sentence, captions[0].text) < kWordErrorsMax, captions[0].text);
  assert.deepEqual(page.complaints, []);
  await browser.close();
});

test("sharing goes on after a kill -9 of the server", { skip, timeout: 280_000 }, async () => {
  const meeting = await server.createMeeting("Outage");
  const browser = await withMicrophone();
  const page = await openPage(browser, meeting);
  await page.click("#share");
  await page.click("#share-microphone");
  await shownShare(page, "Sharing");
  const position = (subscriber) => Math.max(0, ...subscriber.ofType("status").map((status) => status.position_ms));
  const before = await Subscriber.open(server, meeting);
  await before.wait((s) => position(s) > 5_000, "five seconds of sound");
  await server.kill();
  await page.waitForFunction(() => /^Not connected/.test(document.getElementById("share-state").textContent));
  await server.restart();
  await shownShare(page, "Sharing", 60_000);
  const after = await Subscriber.open(server, meeting);
  await after.wait((s) => position(s) > position(before) + 5_000, "the sound that follows");
  await server.endMeeting(meeting);
  await shownShare(page, "Sharing has stopped: the meeting has ended");
  assert.ok(await page.isHidden("#share-controls"));
  await browser.close();
});

test("a browser that may not listen says what to do", { skip, timeout: 60_000 }, async () => {
  const browser = await launchChromium(["--use-fake-device-for-media-stream"]); // Nobody grants it.
  const page = await openPage(browser, await server.createMeeting("Denied"));
  await page.click("#share");
  await page.click("#share-microphone");
  await page.waitForSelector("#share-problem:visible");
  assert.match(await page.textContent("#share-problem"), /Allow it beside the address/);
  assert.ok(await page.isVisible("#share-dialog"));
  await page.keyboard.press("Escape");
  assert.ok(await page.isHidden("#share-dialog"));
  await browser.close();
});
