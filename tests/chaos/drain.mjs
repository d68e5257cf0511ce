// SIGTERM under load: clients hear 4000 and when to come back, spread over 10 s; the server ends
// within 25 s, nothing acknowledged is lost, and the storm of returning clients is served.

import { check, Load, nowUs, quantile, sleep, waitFor, withServer } from "./support.mjs";

const kExitMsMax = 25_000;
const kServedMsMax = 15_000;

export const what = "SIGTERM under load: a drain, and everybody comes back";

export async function run({ directory, seed, short, say }) {
  const drains = short ? 2 : 20;
  return withServer(directory, async (server) => {
    const load = new Load(server, directory, { viewers: 100, seconds: 86_400, seed });
    await load.started();
    const exits = [];
    const served = [];
    const waits = [];
    for (let i = 0; i < drains; ++i) {
      await sleep(4_000);
      const drainUs = nowUs();
      server.child.kill("SIGTERM");
      const timer = setTimeout(() => server.child.kill("SIGKILL"), kExitMsMax + 1_000);
      const code = await server.closed;
      clearTimeout(timer);
      exits.push((nowUs() - drainUs) / 1000);
      check(code === 0 && exits.at(-1) <= kExitMsMax, `the drain took ${exits.at(-1)} ms and ended with ${code}`);
      await server.restart();
      const listensUs = nowUs();
      const back = (events) =>
        new Set(events.filter(({ us, what }) => us > listensUs && (what === "welcome" || what === "position")).map(({ who }) => who));
      await waitFor(async () => back(await load.events()).size === 108, "every client after the drain", kServedMsMax);
      served.push((nowUs() - listensUs) / 1000);
      const events = (await load.events()).filter(({ us }) => us > drainUs && us < listensUs);
      const codes = new Map(); // The first of each client; 1006 are its tries while nobody listens.
      for (const { what, who, n } of events) if (what === "closed" && !codes.has(who)) codes.set(who, n);
      const others = [...codes].filter(([, code]) => code !== 4000).map(([who, code]) => `${who}: ${code}`);
      check(codes.size === 108 && others.length === 0, `${codes.size} of 108 clients were closed; not with 4000: ${others.join(", ")}`);
      waits.push(...events.filter(({ what }) => what === "retry_ms").map(({ n }) => n));
      say(`drain ${i + 1} of ${drains}: ended after ${Math.round(exits.at(-1))} ms, everybody served ${Math.round(served.at(-1))} ms after the start`);
    }
    const spread = [0, 0.25, 0.5, 0.75, 1].map((fraction) => quantile(waits, fraction));
    check(spread[4] <= 11_000 && spread[3] - spread[1] >= 2_500, `clients were told to wait ${spread} ms: not spread over 10 s`);
    load.stop();
    const report = await load.report();
    return {
      drains, exit_ms_max: Math.round(Math.max(...exits)), served_ms_max: Math.round(Math.max(...served)),
      retry_ms_quartiles: spread, captions: report.captions, sent_again: report.frames_again,
    };
  });
}
