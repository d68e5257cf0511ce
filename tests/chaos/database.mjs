// PostgreSQL killed for 15 s, and stopped for 15 s, under load: captions do not notice, REST says
// 503, what waited is stored soon after, and every row once.

import {
  captionDelays, check, children, highest, Load, nowUs, postmaster, psql, quantile, sleep, waitFor, withServer,
} from "./support.mjs";

const kAwayMs = 15_000;
const kAddedMsMax = 50;
const kDrainMsMax = 5_000;
const kAnswerMsMax = 1_000;
// A server that is stopped takes requests and answers none: only its statement timeout (5 s) and a
// second of grace (storage/database.hpp) tell.
const kHungAnswerMsMax = 7_000;

export const what = "PostgreSQL killed and stopped for 15 s: captions go on, rows exactly once";

/** REST while the database is away: 503 with Retry-After, soon. The slowest answer [ms]. */
async function askAway(server, untilMs, answerMsMax) {
  let slowest = 0;
  let refused = 0;
  while (performance.now() < untilMs) {
    const startMs = performance.now();
    const { status, headers } = await server.ask("GET", "/api/meetings");
    slowest = Math.max(slowest, performance.now() - startMs);
    if (status === 503) {
      ++refused;
      check(headers.get("retry-after") !== null, "a 503 without Retry-After");
    } else {
      check(status === 200, `GET /api/meetings: ${status}`);
    }
    await sleep(500);
  }
  check(refused > 0, "REST never said 503");
  check(slowest <= answerMsMax, `REST took ${Math.round(slowest)} ms to say 503`);
  return slowest;
}

async function killed(server) {
  const untilMs = performance.now() + kAwayMs;
  // The server starts another one at once, which is killed as well.
  while (performance.now() < untilMs) {
    for (const pid of children(server.child.pid, /postgres/)) process.kill(pid, "SIGKILL");
    await sleep(50);
  }
}

async function stopped(server) {
  const parent = postmaster(server);
  const all = [parent, ...children(parent)];
  for (const pid of all) process.kill(pid, "SIGSTOP");
  await sleep(kAwayMs);
  for (const pid of all) process.kill(pid, "SIGCONT");
}

/** One outage by `away`; what it cost. */
async function outage(server, load, away, answerMsMax) {
  const beforeUs = nowUs();
  await sleep(6_000);
  const startUs = nowUs();
  const [slowest] = await Promise.all([askAway(server, performance.now() + kAwayMs - 500, answerMsMax), away(server)]);
  const endUs = nowUs();
  await waitFor(() => {
    try {
      return psql(server, "select 1").length === 1;
    } catch {
      return false;
    }
  }, "PostgreSQL");
  const backMs = performance.now();
  const wanted = Math.max(...highest(await load.events(), "final").values());
  const stored = () => Number(psql(server, "select count(*) from utterances")[0]);
  await waitFor(() => stored() >= wanted, `the last of ${wanted} captions in PostgreSQL`, kDrainMsMax);
  const drainMs = performance.now() - backMs;
  const events = await load.events();
  const before = captionDelays(events, beforeUs, startUs);
  const during = captionDelays(events, startUs, endUs);
  check(during.length > 0, "no caption came while PostgreSQL was away");
  const added = quantile(during, 0.5) - quantile(before, 0.5);
  check(added <= kAddedMsMax, `captions came ${added.toFixed(0)} ms later while PostgreSQL was away`);
  return {
    added_ms_p50: Math.round(added), added_ms_p95: Math.round(quantile(during, 0.95) - quantile(before, 0.95)),
    rest_ms_max: Math.round(slowest), drained_ms: Math.round(drainMs),
  };
}

export async function run({ directory, seed, short, say }) {
  const cycles = short ? 1 : 10;
  return withServer(directory, async (server) => {
    const load = new Load(server, directory, { seconds: 86_400, seed });
    await load.started();
    await sleep(2_000);
    const figures = {};
    for (let i = 0; i < cycles; ++i) {
      figures.killed = await outage(server, load, killed, kAnswerMsMax);
      say(`killed for 15 s: ${JSON.stringify(figures.killed)}`);
      figures.stopped = await outage(server, load, stopped, kHungAnswerMsMax);
      say(`stopped for 15 s: ${JSON.stringify(figures.stopped)}`);
    }
    load.stop();
    const report = await load.report();
    check(report.uplink_connections === 8, "an uplink was cut off");
    const [rows] = psql(server, "select count(*) from utterances");
    check(Number(rows) === report.captions, `PostgreSQL has ${rows} captions of ${report.captions}`);
    return { captions: report.captions, ...figures };
  });
}
