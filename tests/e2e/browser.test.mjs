// The page in a real browser: live captions of a streamed meeting, across a kill -9 of the server.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launchChromium, skip } from "./support/chromium.mjs";
import { readJson } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { conversation, writeWav } from "./support/speech.mjs";


let server;
let browser;
let folder;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "qylon-browser-"));
  server = await Server.start();
  browser = await launchChromium();
}, { timeout: 120_000 });
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A page that keeps what it complains about and whom it asks. */
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.foreign = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== server.url && protocol !== "blob:") page.foreign.push(request.url());
  });
  await page.goto(server.page(path));
  return page;
}

const finalLines = (page) =>
  page.$$eval("#lines .line:not(.interim)", (items) =>
    items.map((item) => ({
      segment: Number(item.dataset.segment),
      name: item.querySelector(".name").textContent,
      text: item.querySelector(".text").textContent,
    })),
  );
const shownState = (page, state, timeout = 30_000) =>
  page.waitForFunction((text) => document.getElementById("state").textContent === text, state, { timeout });

/** Streams the conversation in real time; resolves when the client is done. */
async function stream(meeting, speech) {
  const file = join(folder, `${meeting}.wav`);
  await writeWav(file, speech.pcm);
  return server.uplink(file, meeting, ["--realtime"]);
}

test("a meeting is made on the first page and opened", { skip }, async () => {
  const page = await open("/");
  await page.fill("#title", "Made in the browser");
  await page.click("#create button");
  await page.waitForURL(/\/m\/[0-9a-f-]{36}$/);
  await page.waitForFunction(() => document.getElementById("title").textContent === "Made in the browser");
  await shownState(page, "Not started");
  assert.ok(await page.isVisible("#empty"));
  await page.click(".home");
  await page.waitForSelector('#meetings a:text("Made in the browser")');
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.foreign, []);
  await page.context().close();
});

test("captions of a streamed meeting appear, survive a kill -9 and a restart, and none is doubled", { skip, timeout: 240_000 }, async () => {
  const speech = conversation(4);
  const meeting = await server.createMeeting("Calls at Norland Park");
  const page = await open(`/m/${meeting}`);
  const phone = await open(`/m/${meeting}`, { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });
  const streamed = stream(meeting, speech);

  await page.waitForSelector("#lines .interim", { timeout: 60_000 });
  await page.waitForSelector("#lines .line:not(.interim)", { timeout: 60_000 });
  await shownState(page, "Live");
  const before = await finalLines(page);
  await server.kill();
  await shownState(page, "Reconnecting");
  // What was final stays on the screen while the server is away; interims do not.
  assert.deepEqual((await finalLines(page)).slice(0, before.length), before);
  assert.equal(await page.$("#lines .interim"), null);
  const complaintsOfTheOutage = page.complaints.length;
  await server.restart();
  await shownState(page, "Live", 60_000);

  const result = await streamed;
  assert.equal(result.code, 0, result.stderr + result.stdout);
  await server.endMeeting(meeting);
  await shownState(page, "Ended");

  const stored = readJson(await server.export(meeting, "json"));
  await page.waitForFunction((count) => document.querySelectorAll("#lines .line:not(.interim)").length === count, stored.length);
  const shown = await finalLines(page);
  assert.deepEqual(shown.map((line) => line.text), stored.map((caption) => caption.text));
  assert.equal(new Set(shown.map((line) => line.segment)).size, shown.length, "a line is shown twice");
  assert.deepEqual(shown.map((line) => line.name), stored.map((caption) => caption.speaker || "Unknown"));
  assert.equal(await page.$("#lines .interim"), null);

  // While the server is away the browser itself reports each refused connection; nothing else may.
  const others = page.complaints.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/.test(text));
  assert.deepEqual(others, []);
  assert.ok(complaintsOfTheOutage <= page.complaints.length);
  assert.deepEqual(page.foreign, []);

  // The phone shows the same, and nothing sticks out of the screen.
  await phone.waitForFunction((count) => document.querySelectorAll("#lines .line:not(.interim)").length === count, stored.length);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await Promise.all([page.context().close(), phone.context().close()]);
});

test("a late reader gets every line, follows the newest, and may scroll up and jump back", { skip }, async () => {
  const { body } = await server.json("GET", "/api/meetings");
  const { id } = body.meetings.find((meeting) => meeting.title === "Calls at Norland Park");
  const page = await open(`/m/${id}`, { viewport: { width: 700, height: 320 } });
  await shownState(page, "Ended");
  await page.waitForSelector("#lines .line");
  for (let i = 0; i < 4; ++i) await page.click("#larger"); // So that the lines do not fit.
  const atEnd = () =>
    page.evaluate(() => {
      const box = document.getElementById("captions");
      return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
    });
  await page.waitForFunction(() => {
    const box = document.getElementById("captions");
    return box.scrollHeight > box.clientHeight * 1.5;
  });
  assert.ok(await atEnd(), "the newest line is out of sight");
  await page.mouse.move(300, 160);
  await page.mouse.wheel(0, -200);
  await page.waitForSelector("#jump:visible");
  await page.click("#jump");
  assert.ok(await atEnd());
  assert.ok(await page.isHidden("#jump"));
  // Lines of one voice after another, out of sight: only the captions scroll, not the page.
  assert.ok(await page.evaluate(() => {
    for (const line of document.querySelectorAll(".line")) line.classList.add("again");
    document.getElementById("captions").scrollTop = 0;
    const { scrollHeight, clientHeight } = document.documentElement;
    return scrollHeight <= clientHeight;
  }));

  // The size of the text is kept for the next visit.
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.size), "6");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("what a reader hears: finals in a polite log, no interims", { skip }, async () => {
  const page = await open("/");
  await page.goto(`${server.url}/m/${await server.createMeeting("Log")}`);
  assert.equal(await page.getAttribute("#announcer", "aria-live"), "polite");
  assert.equal(await page.getAttribute("#lines", "aria-live"), null);
  // Every control is reached by keyboard and has a name.
  const nameless = await page.$$eval("button, a, input, summary", (items) =>
    items.filter((item) => (item.getAttribute("aria-label") ?? item.textContent ?? "").trim() === "" && item.labels?.length !== 1).length);
  assert.equal(nameless, 0);
  await page.context().close();
});

test("exports are saved from the menu", { skip }, async () => {
  const { body } = await server.json("GET", "/api/meetings");
  const { id } = body.meetings.find((meeting) => meeting.title === "Calls at Norland Park");
  const page = await open(`/m/${id}`);
  await page.click("#exports summary");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click('#exports a:text("WebVTT")')]);
  assert.match(download.suggestedFilename(), /^calls-at-norland-park-\d{4}-\d{2}-\d{2}\.vtt$/);
  await page.waitForSelector('.recordings a:text("Recording")');
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a page without a token asks for one, which is in no address", { skip, timeout: 120_000 }, async () => {
  const id = await server.createMeeting("Private");
  const context = await browser.newContext();
  const page = await context.newPage();
  const urls = [];
  page.on("request", (request) => urls.push(request.url()));
  page.on("websocket", (socket) => urls.push(socket.url()));
  await page.goto(`${server.url}/m/${id}`);
  await page.waitForSelector("#token-dialog[open]");
  assert.match(await page.textContent("#token-dialog"), /qylon sign-in.*prints a link that lets you in/);
  assert.ok(await page.isHidden("#token-dialog .wrong"));
  await page.click("#token-dialog summary");
  await page.fill("#token", "qyl_wrong");
  await page.click("#token-dialog button");
  await page.waitForSelector("#token-dialog .wrong:visible");
  await page.fill("#token", server.token);
  await page.click("#token-dialog button");
  await page.waitForFunction(() => document.getElementById("title").textContent === "Private");
  await shownState(page, "Not started");
  assert.ok(urls.every((url) => !url.includes("qyl_")));
  assert.equal(await page.evaluate(() => localStorage.getItem("qylon.token")), null);
  await context.close();
});

test("the link of `qylon sign-in` opens a page as the owner, once", { skip, timeout: 120_000 }, async () => {
  const id = await server.createMeeting("Signed in");
  const { stdout, stderr } = await server.run(["sign-in", "--page", `/m/${id}`]);
  const link = stdout.trim();
  assert.match(link, /\/m\/[0-9a-f-]{36}#sign-in=[\w-]{43}$/, stderr);
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(link);
  await page.waitForFunction(() => document.getElementById("title").textContent === "Signed in");
  await shownState(page, "Not started");
  assert.equal(await page.evaluate(() => location.hash), "");
  assert.deepEqual(complaints, []);

  const other = await (await browser.newContext()).newPage();
  await other.goto(link);
  await other.waitForSelector("#token-dialog[open]");
  assert.equal(await other.textContent("#token-dialog .wrong"), "The link was used before, or is too old.");
  assert.ok(!server.log.text.includes(link.split("=")[1]));
  await Promise.all([context.close(), other.context().close()]);
});

test("a person signs in with a password, and an expired token is renewed unasked", { skip, timeout: 120_000 }, async () => {
  const account = { email: "ann@example.org", password: "correct horse battery" };
  const made = await server.json("POST", "/auth/v1/admin/users", { ...account, email_confirm: true });
  assert.equal(made.status, 200);

  const isList = (response) => new URL(response.url()).pathname === "/api/meetings" && response.ok();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.url);
  await page.waitForSelector("#token-dialog[open]");
  await page.fill("#email", account.email);
  await page.fill("#password", "wrong horse battery");
  await page.click("#token-dialog button");
  await page.waitForSelector("#token-dialog .wrong:visible");
  await page.fill("#password", account.password);
  const listed = page.waitForResponse(isList);
  await page.click("#token-dialog button");
  await listed;

  await page.evaluate(() => sessionStorage.setItem("qylon.token", "expired"));
  const again = page.waitForResponse(isList);
  await page.reload();
  await again;
  assert.equal(await page.locator("#token-dialog[open]").count(), 0);
  await context.close();
});

// QYLON_SCREENSHOT=docs/screenshot.png makes the picture of the README.
test("the demo meeting as a picture", { skip: skip || !process.env.QYLON_SCREENSHOT, timeout: 180_000 }, async () => {
  const file = join(folder, "demo.wav");
  const demo = new URL("../../demo/make_meeting.py", import.meta.url).pathname;
  assert.equal(spawnSync("python3", [demo, file]).status, 0);
  const meeting = await server.createMeeting("Planning the picnic", ["picnic"]);
  const page = await open(`/m/${meeting}`, { viewport: { width: 1000, height: 640 } });
  const streamed = server.uplink(file, meeting, ["--realtime"]);
  await page.waitForFunction(() => document.querySelectorAll("#lines .line:not(.interim)").length >= 8 &&
    document.querySelector("#lines .interim") !== null, undefined, { timeout: 120_000 });
  await page.screenshot({ path: process.env.QYLON_SCREENSHOT });
  await page.context().close();
  await streamed;
});
