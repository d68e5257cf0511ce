// kill -9 of the server while it starts for the first time, then again and again under uplinks and
// viewers, at seeded moments: anywhere, while it starts, when a new journal segment appears, and right
// after a caption.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Server } from "../e2e/support/server.mjs";
import { check, Load, nowUs, psql, quantile, random, serverFlags, sleep, withServer } from "./support.mjs";

const kResumeMsMax = 3_000;
const kFirstStarts = 3;
const kKillsOfAFirstStart = 3;

export const what = "kill -9 of the server: nothing acknowledged is lost";

/** Waits for the next kill's moment. */
async function wait(moment, { server, load, next, segments }) {
  if (moment === "segment") {
    const count = () => readdirSync(join(server.dataDir, "journal")).length;
    for (let i = 0; i < 400 && count() <= segments; ++i) await sleep(5);
    await sleep(next() * 60); // Preallocation, header, first group, its sync.
  } else if (moment === "caption") {
    const before = (await load.events()).length;
    const isFinal = (event) => event.what === "final";
    for (let i = 0; i < 100 && !(await load.events()).slice(before).some(isFinal); ++i) await sleep(20);
    await sleep(next() * 60); // Somewhere in the batch that goes to PostgreSQL.
  } else {
    await sleep(200 + next() * 3000);
  }
}

/** Kills the server while it starts, as well: in recovery, migration, replay. */
async function restart(server, next) {
  const early = next() < 0.2;
  if (early) {
    const launched = server.restart().catch(() => undefined);
    await sleep(next() * 1500);
    await server.kill();
    await launched;
  }
  const spawnedUs = nowUs();
  await server.restart();
  return { spawnedUs, listensUs: nowUs() };
}

/** Killed while it makes its database and migrates it: the next start goes on from whatever is there. */
async function firstStarts(directory, next) {
  for (let i = 0; i < kFirstStarts; ++i) {
    const server = new Server();
    server.dataDir = join(directory, `first-${i}`);
    server.flags = await serverFlags(directory);
    server.env = {};
    for (let kill = 0; kill < kKillsOfAFirstStart; ++kill) {
      const launched = server.launch(0).catch(() => undefined);
      await sleep(next() * 2500);
      await server.kill();
      await launched;
    }
    await server.launch(0);
    await server.createMeeting("First");
    check(psql(server, "select count(*) from meetings")[0] === "1", "the first meeting is not stored once");
    await server.stop();
  }
}

/** When the last client was back [us]; they all are by the time `untilUs`. */
function backUs(events, sinceUs, untilUs) {
  const first = new Map();
  for (const { us, who, what: deed } of events) {
    if (us < sinceUs || us >= untilUs || (deed !== "welcome" && deed !== "position")) continue;
    if (!first.has(who)) first.set(who, us);
  }
  return { clients: first.size, us: Math.max(...first.values()), lost: (who) => !first.has(who) };
}

/** What the clients that did not come back said in that time [ms since `sinceUs`]. */
function lastWords(events, { lost }, sinceUs, untilUs) {
  return [...new Set(events.map(({ who }) => who))].filter(lost).map((name) => {
    const words = events.filter(({ us, who, what: deed }) =>
      who === name && us >= sinceUs - 2_000_000 && us < untilUs + 2_000_000 && deed !== "sent" && deed !== "end_ms");
    return `${name}: ${words.map(({ us, what: deed, n }) => `${deed} ${n} at ${Math.round((us - sinceUs) / 1000)}`).join(", ")}`;
  }).join("\n");
}

export async function run({ directory, seed, kills, say }) {
  const next = random(seed);
  const moments = ["any", "any", "caption", "segment"];
  await firstStarts(directory, next);
  say(`${kFirstStarts * kKillsOfAFirstStart} kills of a first start: the next one served`);
  const flags = ["--journal-segment-bytes", String(1 << 20)];
  return withServer(directory, async (server) => {
    const load = new Load(server, directory, { seconds: 86_400, seed });
    await load.started();
    await sleep(3000);
    const restarts = [];
    let segmentsAtStart = 0;
    for (let i = 0; i < kills; ++i) {
      const moment = moments[Math.floor(next() * moments.length)];
      // A server that was just started makes a new segment with its first record.
      if (moment !== "segment" && i > 0) await sleep(1500 + next() * 2000);
      await wait(moment, { server, load, next, segments: segmentsAtStart });
      check(!load.ended, "the load ended early");
      if (restarts.length > 0) restarts.at(-1).cut = moment === "segment";
      await server.kill();
      segmentsAtStart = readdirSync(join(server.dataDir, "journal")).length;
      restarts.push(await restart(server, next));
      const { spawnedUs, listensUs } = restarts.at(-1);
      say(`kill ${i + 1} of ${kills} (${moment}): listens ${Math.round((listensUs - spawnedUs) / 1000)} ms after its start`);
    }
    await sleep(4000);
    load.stop();
    const report = await load.report();
    const events = await load.events();
    const starts = restarts.map(({ spawnedUs, listensUs }) => (listensUs - spawnedUs) / 1000);
    const whole = restarts.map((one, i) => ({ ...one, i })).filter(({ cut }) => !cut);
    const resumes = whole.flatMap(({ spawnedUs, listensUs, i }) => {
      const untilUs = restarts[i + 1]?.spawnedUs ?? Infinity;
      const back = backUs(events, spawnedUs, untilUs);
      // The next kill may come sooner than everybody must be back.
      if (back.clients < 24 && untilUs - listensUs < kResumeMsMax * 1000) return [];
      check(back.clients === 24, `after kill ${i + 1} only ${back.clients} of 24 clients came back within ` +
        `${Math.round((untilUs - listensUs) / 1000)} ms\n${lastWords(events, back, spawnedUs, untilUs)}`);
      return { fromStart: (back.us - spawnedUs) / 1000, fromListen: (back.us - listensUs) / 1000 };
    });
    const worst = Math.max(...resumes.map(({ fromListen }) => fromListen));
    check(worst <= kResumeMsMax, `the last client was back ${worst} ms after the server listened`);
    const [rows] = psql(server, `select count(*) || ' ' || count(distinct (meeting, caption_offset)) from utterances`);
    check(rows === `${report.captions} ${report.captions}`, `PostgreSQL has ${rows} captions of ${report.captions}`);
    return {
      kills, judged: resumes.length, captions: report.captions, packets: report.packets, sent_again: report.frames_again,
      start_ms_p50: Math.round(quantile(starts, 0.5)), start_ms_max: Math.round(Math.max(...starts)),
      resume_after_listen_ms_max: Math.round(worst),
      resume_after_spawn_ms_p50: Math.round(quantile(resumes.map((r) => r.fromStart), 0.5)),
      resume_after_spawn_ms_max: Math.round(Math.max(...resumes.map((r) => r.fromStart))),
    };
  }, { flags });
}
