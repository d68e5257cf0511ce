// PostgreSQL killed for 15 s, stopped for 15 s, restarted again and again, and refusing connections,
// under load: captions do not notice, REST says 503, what waited is stored soon after, and every row
// once.

import {
  captionDelays, check, children, highest, kill, Load, nowUs, postmaster, psql, quantile, sleep, waitFor, withServer,
} from "./support.mjs";

const kAwayMs = 15_000;
const kBriefMs = 6_000;
const kAddedMsMax = 50;
const kDrainMsMax = 5_000;
const kAnswerMsMax = 1_000;

export const what = "PostgreSQL killed, stopped, restarted and refusing: captions go on, rows exactly once";

/** REST while the database is away: 503 with Retry-After, soon. The slowest answer [ms]. */
async function askAway(server, untilMs) {
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
  check(slowest <= kAnswerMsMax, `REST took ${Math.round(slowest)} ms to say 503`);
  return slowest;
}

async function killed(server, untilMs) {
  // The server starts another one at once, which is killed as well.
  while (performance.now() < untilMs) {
    for (const pid of children(server.child.pid, /postgres/)) kill(pid, "SIGKILL");
    await sleep(50);
  }
}

async function stopped(server, untilMs) {
  const parent = postmaster(server);
  const all = [parent, ...children(parent)];
  for (const pid of all) process.kill(pid, "SIGSTOP");
  await sleep(untilMs - performance.now());
  for (const pid of all) process.kill(pid, "SIGCONT");
}

/** A fast shutdown (SIGINT), and the server starts it again. */
async function restarted(server, untilMs) {
  while (performance.now() < untilMs) {
    for (const pid of children(server.child.pid, /postgres/)) kill(pid, "SIGINT");
    await sleep(300);
  }
}

async function refusing(server, untilMs) {
  psql(server, "alter role qylon_app connection limit 0");
  psql(server, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'qylon_app'");
  await sleep(untilMs - performance.now());
  psql(server, "alter role qylon_app connection limit -1");
}

/** One outage by `away`; what it cost. */
async function outage(server, load, away, awayMs) {
  const beforeUs = nowUs();
  await sleep(6_000);
  const startUs = nowUs();
  const untilMs = performance.now() + awayMs;
  const [slowest] = await Promise.all([askAway(server, untilMs - 500), away(server, untilMs)]);
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
      for (const [away, awayMs] of [[killed, kAwayMs], [stopped, kAwayMs], [restarted, kBriefMs], [refusing, kBriefMs]]) {
        figures[away.name] = await outage(server, load, away, awayMs);
        say(`${away.name} for ${awayMs / 1000} s: ${JSON.stringify(figures[away.name])}`);
      }
    }
    load.stop();
    const report = await load.report();
    check(report.uplink_connections === 8, "an uplink was cut off");
    const [rows] = psql(server, "select count(*) from utterances");
    check(Number(rows) === report.captions, `PostgreSQL has ${rows} captions of ${report.captions}`);
    return { captions: report.captions, ...figures };
  });
}
