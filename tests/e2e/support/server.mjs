// Starts the built program, talks to it over HTTP, and kills it when a test wants that.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const binary = process.env.QYLON_BINARY ?? "";
if (binary === "") throw new Error("QYLON_BINARY must name the built qylon program");

const kStartMs = 60_000; // A first start makes a PostgreSQL cluster; a busy machine makes it slow.
const kStopMs = 20_000; // The last words are still recognised and stored.
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

function collect(stream) {
  const collected = { text: "" };
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => (collected.text = (collected.text + chunk).slice(-200_000)));
  return collected;
}

/** Runs `qylon` with `words` until it ends. */
export async function run(words, { env = {}, timeoutMs = 120_000 } = {}) {
  const child = spawn(binary, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  running.delete(child);
  return { code, signal, stdout: out.text, stderr: err.text };
}

export class Server {
  /** Serves from a new data directory, or from `dataDir`, until stop(). */
  static async start({ dataDir, port = 0, flags = [], env = {} } = {}) {
    const server = new Server();
    server.ownsData = dataDir === undefined;
    server.dataDir = dataDir ?? (await mkdtemp(join(tmpdir(), "qylon-e2e-")));
    server.flags = flags;
    server.env = env;
    await server.launch(port);
    return server;
  }

  async launch(port) {
    this.child = spawn(
      binary,
      ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", this.dataDir, ...this.flags],
      { env: { ...process.env, ...this.env }, stdio: ["ignore", "pipe", "pipe"] },
    );
    running.add(this.child);
    this.log = collect(this.child.stderr);
    this.closed = once(this.child, "close").then(([code]) => code);
    this.url = await this.listening();
    this.port = Number(new URL(this.url).port);
    /** The server's own: what these tests show, unless they are about showing nothing. */
    this.token = (await readFile(join(this.dataDir, "token"), "utf8")).trim();
  }

  listening() {
    const out = collect(this.child.stdout);
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`qylon serve ${why}\n${this.log.text}`));
      const timer = setTimeout(() => fail("said nothing for too long"), kStartMs);
      this.child.stdout.on("data", () => {
        const line = /^listening on (https?:\/\/\S+)$/m.exec(out.text);
        if (line === null) return;
        clearTimeout(timer);
        resolve(line[1]);
      });
      void this.closed.then((code) => fail(`ended with ${code} before it was ready`));
    });
  }

  /** As the kernel does when memory runs out: no warning, no clean-up. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.closed;
    running.delete(this.child);
  }

  /** Again on the same port and data, as a supervisor would. */
  async restart() {
    await this.launch(this.port);
  }

  async stop() {
    this.child.kill("SIGTERM");
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      this.child.kill("SIGKILL");
    }, kStopMs);
    const code = await this.closed;
    clearTimeout(timer);
    running.delete(this.child);
    if (this.ownsData) await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    if (overdue) throw new Error(`qylon serve did not stop within ${kStopMs} ms\n${this.log.text}`);
    return code;
  }

  get authorization() {
    return { Authorization: `Bearer ${this.token}` };
  }

  /** A page's address that brings the token, as a link that signs in does. */
  page(path) {
    return `${this.url}${path}#access_token=${this.token}`;
  }

  /** `fetch` of a path, with the token. */
  fetch(path, { headers = {}, ...init } = {}) {
    return fetch(this.url + path, { ...init, headers: { ...this.authorization, ...headers } });
  }

  async ask(method, path, body) {
    const json = { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const response = await this.fetch(path, { method, ...(body === undefined ? {} : json) });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  }

  async json(method, path, body) {
    const answer = await this.ask(method, path, body);
    return { status: answer.status, body: JSON.parse(answer.bytes.toString("utf8")) };
  }

  async createMeeting(title, glossary = []) {
    const { status, body } = await this.json("POST", "/api/meetings", { title, glossary });
    if (status !== 201) throw new Error(`POST /api/meetings: ${status} ${JSON.stringify(body)}`);
    return body.id;
  }

  /** Ends the meeting and waits until its transcript is complete. */
  async endMeeting(id) {
    for (;;) {
      const { status, body } = await this.json("POST", `/api/meetings/${id}/end`);
      if (status === 200) return body;
      if (status !== 202) throw new Error(`end: ${status} ${JSON.stringify(body)}`);
    }
  }

  async export(id, format) {
    const answer = await this.ask("GET", `/api/meetings/${id}/export?format=${format}`);
    if (answer.status !== 200) throw new Error(`export ${format}: ${answer.status} ${answer.bytes}`);
    return answer.bytes.toString("utf8");
  }

  /** Streams `file` with the real client. */
  uplink(file, meeting, flags = ["--fast"]) {
    return this.run(["uplink", file, "--meeting", meeting, ...flags]);
  }

  /** Runs `qylon` as a client of this server. */
  run(words, { env = {}, ...options } = {}) {
    return run(words, { env: { QYLON_SERVER: this.url, QYLON_TOKEN: this.token, ...env }, ...options });
  }
}
