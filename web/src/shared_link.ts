// A meeting seen through a share link: every WebSocket comes with a one-time ticket.

import type { Socket } from "./connection";

/** The link's secret behind the '#', which no server and no log ever gets; empty without one. */
export function linkSecret(): string {
  return new URLSearchParams(location.hash.slice(1)).get("share") ?? "";
}

async function fetchTicket(secret: string): Promise<string> {
  const response = await fetch("/api/tickets", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ share: secret }),
  });
  const answer = (await response.json()) as { ticket?: string; detail?: string };
  if (response.status === 401) throw new Error(answer.detail);
  return answer.ticket ?? "";
}

/** A socket that gets itself a ticket before it opens. Closes 4502 when the link opens nothing. */
export function openWithTicket(url: string, secret: string): Socket {
  let inner: WebSocket | null = null;
  let closed = false;
  const socket: Socket = {
    send: (text) => inner?.send(text),
    close: (code) => {
      closed = true;
      inner?.close(code);
    },
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  const open = (ticket: string): void => {
    if (closed) return;
    inner = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`, "qylon.v1");
    inner.onopen = () => socket.onopen?.();
    inner.onmessage = (event) => socket.onmessage?.(event);
    inner.onclose = (event) => socket.onclose?.(event);
  };
  fetchTicket(secret).then(open, (error: unknown) => {
    const refused = error instanceof Error && !(error instanceof TypeError);
    socket.onclose?.({ code: refused ? 4502 : 1006, reason: refused ? error.message : "" });
  });
  return socket;
}
