// Bad networks between the clients and the server: stalls, a slow line, resets, half-open and
// half-closed connections. Everybody comes back by himself, and nothing is lost.

import { check, Load, Proxy, nowUs, sleep, withServer } from "./support.mjs";

const kBackMsMax = 45_000; // A dead peer is noticed within 30 s; then the back-off.

export const what = "stalls, slow lines, resets, half-open connections: nothing is lost";

/** Everybody is served again: the newest welcome or position of each is later than `sinceUs`, or its
 *  newest acknowledgement or caption is. */
async function allServed(load, sinceUs, clients) {
  const served = new Set(
    (await load.events())
      .filter(({ us, what }) => us > sinceUs && ["durable", "final", "position"].includes(what))
      .map(({ who }) => who),
  );
  return served.size >= clients;
}

const profiles = (short) => [
  { name: "stall 5 s", act: (proxy) => proxy.order("stall 5000"), lastMs: 5_000 },
  { name: "64 kbit/s both ways, for each client", act: async (proxy) => {
    await proxy.order("up rate=64000 latency=80 jitter=40");
    await proxy.order("down rate=64000 latency=80 jitter=40");
  }, lastMs: short ? 6_000 : 30_000 },
  { name: "RST of a third", act: (proxy) => proxy.order("rst 33"), lastMs: 0 },
  { name: "cut after 20 kB, again and again", act: (proxy) => proxy.order("up cut=20000"), lastMs: 6_000 },
  { name: "half-closed", act: (proxy) => proxy.order("halfclose"), lastMs: 0 },
  ...(short ? [] : [{ name: "stall 30 s", act: (proxy) => proxy.order("stall 30000"), lastMs: 30_000 }]),
  { name: "half-open", act: (proxy) => proxy.order("forget"), lastMs: 0, slow: true },
  ...(short ? [] : [{ name: "stall 60 s", act: (proxy) => proxy.order("stall 60000"), lastMs: 60_000 }]),
];

export async function run({ directory, seed, short, say }) {
  return withServer(directory, async (server) => {
    const proxy = await Proxy.start(server, { seed });
    const load = new Load(server, directory, { seconds: 86_400, seed, via: proxy.url });
    await load.started();
    await sleep(2_000);
    const figures = {};
    for (const { name, act, lastMs } of profiles(short)) {
      await act(proxy);
      await sleep(lastMs);
      await proxy.order("up");
      await proxy.order("down");
      const fairUs = nowUs();
      const startMs = performance.now();
      while (!(await allServed(load, fairUs, 24))) {
        check(performance.now() - startMs < kBackMsMax, `after "${name}" not every client was back in ${kBackMsMax} ms`);
        check(!load.ended, "the load ended early");
        await sleep(100);
      }
      figures[name] = Math.round(performance.now() - startMs);
      say(`${name}: everybody served ${figures[name]} ms after`);
      await sleep(1_000);
    }
    load.stop();
    const report = await load.report();
    await proxy.stop();
    return { captions: report.captions, sent_again: report.frames_again, back_ms: figures };
  });
}
