// A reader of a meeting that keeps everything it hears and can wait for something.

import { once } from "node:events";
import WebSocket from "ws";

export class Subscriber {
  static async open(server, meeting, { topics = ["captions", "status"], from } = {}) {
    const subscriber = new Subscriber();
    subscriber.messages = [];
    subscriber.waiting = new Set();
    subscriber.socket = new WebSocket(`${server.url.replace("http", "ws")}/v1/subscribe`, "qylon.v1", {
      headers: server.authorization,
      perMessageDeflate: false,
    });
    subscriber.socket.on("message", (data) => subscriber.hear(JSON.parse(data.toString("utf8"))));
    subscriber.closed = new Promise((resolve) => subscriber.socket.on("close", (code) => resolve(code)));
    subscriber.socket.on("error", () => undefined); // Its close follows.
    await Promise.race([
      once(subscriber.socket, "open"),
      subscriber.closed.then((code) => Promise.reject(new Error(`the subscription was closed with ${code}`))),
    ]);
    const message = { type: "subscribe", topics: topics.map((topic) => `meeting/${meeting}/${topic}`) };
    if (from !== undefined) message.from = from;
    subscriber.socket.send(JSON.stringify(message));
    return subscriber;
  }

  hear(message) {
    this.messages.push({ ...message, heardMs: performance.now() });
    for (const check of this.waiting) check();
  }

  /** Resolves with the first value that is not undefined, false or null. */
  wait(condition, what, timeoutMs = 60_000) {
    return new Promise((resolve, reject) => {
      const check = () => {
        const value = condition(this);
        if (value === undefined || value === false || value === null) return false;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(value);
        return true;
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(new Error(`${what} did not come within ${timeoutMs} ms; heard ${this.summary()}`));
      }, timeoutMs);
      if (!check()) this.waiting.add(check);
    });
  }

  summary() {
    const counts = {};
    for (const { type } of this.messages) counts[type] = (counts[type] ?? 0) + 1;
    return JSON.stringify(counts);
  }

  ofType(type) {
    return this.messages.filter((message) => message.type === type);
  }
  /** Everything that has a number: finals and revisions. */
  get numbered() {
    return this.messages.filter((message) => message.offset !== undefined && message.type !== "position");
  }
  /** The finals with the speakers that hold now: every revision is applied to what came before. */
  get finals() {
    const finals = [];
    for (const message of this.numbered) {
      if (message.type === "caption") {
        finals.push({ ...message });
        continue;
      }
      for (const final of finals) {
        const { kind, speaker } = message;
        const relabelled = (kind === "relabel" || kind === "split") && message.captions.includes(final.offset);
        const concerned = relabelled || (kind === "merge" && final.speaker.key === message.from) ||
          (kind === "rename" && final.speaker.key === speaker.key);
        if (concerned) final.speaker = { ...final.speaker, key: speaker.key, name: speaker.name };
      }
    }
    return finals;
  }
  get interims() {
    return this.ofType("caption").filter((caption) => !caption.final);
  }
  get position() {
    return this.ofType("position").at(-1);
  }

  async close() {
    this.socket.close(1000);
    await this.closed;
  }
}
