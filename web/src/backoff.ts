// When to connect again: full jitter (Brooker, "Exponential Backoff And Jitter", 2015).

const kFirstMs = 250;
const kLongestMs = 15_000;

export class Backoff {
  private attempts = 0;

  /** `random` gives [0, 1). */
  constructor(private readonly random: () => number = Math.random) {}

  /** Milliseconds to wait, at least what the server asked for (which is jittered already). */
  nextDelayMs(retryAfterMs = 0): number {
    const ceiling = Math.min(kLongestMs, kFirstMs * 2 ** this.attempts);
    this.attempts = Math.min(this.attempts + 1, 16);
    return Math.max(retryAfterMs, Math.round(this.random() * ceiling));
  }

  /** A connection worked. */
  reset(): void {
    this.attempts = 0;
  }
}

/** What a close code asks for (docs/PROTOCOL.md, "Errors"). */
export function afterClose(code: number): "reconnect" | "start anew" | "ask for token" | "stop" {
  if (code === 4004) return "start anew";
  if (code === 4500) return "ask for token";
  return code >= 4501 && code <= 4999 ? "stop" : "reconnect";
}
