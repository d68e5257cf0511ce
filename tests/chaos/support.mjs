// What every scenario of ./dev chaos starts: a server with a recogniser that hears the same words
// every time, the load generator, and a proxy that misbehaves.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Server } from "../e2e/support/server.mjs";

const build = process.env.QYLON_BUILD ?? dirname(process.env.QYLON_BINARY);

/** Microseconds on the clock of the load generator's log. */
export const nowUs = () => Number(process.hrtime.bigint() / 1000n);
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The same sequence for the same seed: xorshift32. */
export function random(seed) {
  let state = (seed * 2654435761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 10; ++i) next(); // Small seeds begin alike.
  return next;
}

export function check(condition, what) {
  if (!condition) throw new Error(what);
}

export async function waitFor(condition, what, timeoutMs = 30_000) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await sleep(20);
  }
}

/** A directory of its own for one scenario, gone when `use` has ended. */
export async function withDirectory(use) {
  const directory = await mkdtemp(join(tmpdir(), "qylon-chaos-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function serverFlags(directory, more = []) {
  const model = join(directory, "model");
  await mkdir(model, { recursive: true });
  return [
    "--engine", "vosk", "--vosk-library", join(build, "tests/libchaos_vosk.so"), "--model-dir", model,
    "--recogniser-workers", "1", "--connections-per-address", "1000", ...more,
  ];
}

/** Serves from `directory` until `use` has ended. */
export async function withServer(directory, use, { flags = [], env = {} } = {}) {
  const server = await Server.start({
    dataDir: join(directory, "data"),
    flags: await serverFlags(directory, flags),
    env,
  });
  let result;
  try {
    result = await use(server);
  } catch (error) {
    await server.kill().catch(() => undefined);
    error.message += `\n--- end of the server's log ---\n${server.log.text.slice(-2000)}`;
    throw error;
  }
  await server.stop();
  return result;
}

/** One run of the load generator. */
export class Load {
  constructor(server, directory, { uplinks = 8, viewers = 16, seconds, seed, via, flags = [] }) {
    this.path = join(directory, `load-${seed}.log`);
    const words = [
      "--server", server.url, "--uplinks", uplinks, "--viewers", viewers, "--seconds", seconds,
      "--seed", seed, "--log", this.path, "--backoff-ms-max", 1000, ...flags,
    ];
    if (via) words.push("--via", via);
    this.child = spawn(join(build, "loadgen"), words.map(String), {
      env: { ...process.env, QYLON_TOKEN: server.token },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.out = "";
    this.child.stdout.setEncoding("utf8");
    this.child.stdout.on("data", (text) => (this.out += text));
    this.closed = once(this.child, "close").then(([code]) => {
      this.ended = true;
      return code;
    });
    process.on("exit", () => this.child.kill("SIGKILL"));
  }

  get meetings() {
    return [...this.out.matchAll(/^meeting (\S+)$/gm)].map(([, id]) => id);
  }
  async started() {
    await waitFor(() => this.ended || this.meetings.length > 0, "the load's meeting");
  }
  /** Ends the load early; its checks follow. */
  stop() {
    this.child.kill("SIGINT");
  }
  /** What it found; throws when a promise was broken. */
  async report() {
    const code = await this.closed;
    const line = this.out.trimEnd().split("\n").at(-1) ?? "";
    check(line.startsWith("{"), `loadgen ended with ${code} and said: ${this.out}`);
    const report = JSON.parse(line);
    check(report.findings === 0, `${report.findings} broken promises:\n${report.finding_words.join("\n")}\n${line}`);
    return report;
  }
  /** Its log so far: {us, who, what, n}. */
  async events() {
    const text = await readFile(this.path, "utf8");
    return text.split("\n").filter((line) => line.endsWith("}")).map((line) => JSON.parse(line));
  }
}

/** Rows of `sql` in the server's private PostgreSQL, asked as the user that it runs as. */
export function psql(server, sql) {
  const socket = join(server.dataDir, "postgres/socket");
  const url = `host=${socket} port=5432 user=qylon_owner dbname=qylon`;
  const words = ["psql", url, "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql];

  const [program, ...rest] = words;
  const result = spawnSync(program, rest, { encoding: "utf8" });
  check(result.status === 0, `psql: ${result.stderr}`);
  return result.stdout.trim().split("\n").filter((line) => line !== "");
}

/** Pids of `parent`'s children whose command line matches. */
export function children(parent, pattern = /./) {
  const lines = spawnSync("ps", ["-e", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).stdout.split("\n");
  return lines
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((line) => line !== null && Number(line[2]) === parent && pattern.test(line[3]))
    .map((line) => Number(line[1]));
}
/** A signal to a process that may have ended by itself. */
export function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
export const postmaster = (server) => children(server.child.pid, /postgres/)[0];

/** Quantile of numbers. */
export function quantile(values, fraction) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))];
}

/** A network before the server that misbehaves: see `chaosproxy --help`. */
export class Proxy {
  static async start(server, { up = "", down = "", seed = 1 } = {}) {
    const proxy = new Proxy();
    const words = ["--server-port", String(server.port), "--up", up, "--down", down, "--seed", String(seed)];
    proxy.child = spawn(join(build, "chaosproxy"), words, { stdio: ["pipe", "pipe", "inherit"] });
    process.on("exit", () => proxy.child.kill("SIGKILL"));
    proxy.lines = [];
    proxy.waiting = [];
    let text = "";
    proxy.child.stdout.setEncoding("utf8");
    proxy.child.stdout.on("data", (more) => {
      text += more;
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        const line = text.slice(0, end);
        const taker = proxy.waiting.shift();
        if (taker) taker(line);
        else proxy.lines.push(line);
      }
    });
    const first = await proxy.line();
    check(first.startsWith("listening on "), `chaosproxy said ${first}`);
    proxy.url = `http://${first.slice("listening on ".length)}`;
    return proxy;
  }
  line() {
    if (this.lines.length > 0) return Promise.resolve(this.lines.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  async order(text) {
    this.child.stdin.write(`${text}\n`);
    const answer = await this.line();
    check(answer.startsWith("ok"), `chaosproxy ${text}: ${answer}`);
    return answer;
  }
  async stop() {
    const closed = once(this.child, "close");
    this.child.stdin.end();
    await closed;
  }
}

/** How late finals came [ms, from an unknown zero] between two moments, by the load's log. */
export function captionDelays(events, fromUs, untilUs) {
  return events
    .filter(({ us, what }) => what === "end_ms" && us >= fromUs && us < untilUs)
    .map(({ us, n }) => us / 1000 - n);
}
export const finalsBetween = (events, fromUs, untilUs) =>
  events.filter(({ us, what }) => what === "final" && us >= fromUs && us < untilUs).length;
/** The highest number that `what` said, by who said it, until a moment. */
export function highest(events, what, untilUs = Infinity) {
  const by = new Map();
  for (const event of events) {
    if (event.what === what && event.us < untilUs) by.set(event.who, Math.max(by.get(event.who) ?? 0, event.n));
  }
  return by;
}
