// The REST routes, with the token when there is one.

import { arrived, renewToken, storedToken } from "./token";

/** What the server said was wrong (RFC 9457), or that it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

function withToken(init: RequestInit): RequestInit {
  const headers = new Headers(init.headers);
  if (storedToken() !== "") headers.set("Authorization", `Bearer ${storedToken()}`);
  return { ...init, headers };
}

async function detailOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: string };
    return problem.detail ?? response.statusText;
  } catch {
    return response.statusText;
  }
}

/** Fetches; asks for a token when the server wants one, as often as it takes. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  await arrived;
  for (;;) {
    let response: Response;
    try {
      response = await fetch(path, withToken(init));
    } catch {
      throw new ApiError(0, "The server cannot be reached.");
    }
    if (response.ok) return response;
    if (response.status !== 401) throw new ApiError(response.status, await detailOf(response));
    await renewToken();
  }
}

export async function callJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await call(path, init)).json()) as T;
}

/** Saves what a link leads to, with the token that a plain link could not carry. */
export async function download(link: HTMLAnchorElement): Promise<void> {
  const response = await call(link.href);
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  const url = URL.createObjectURL(await response.blob());
  const saver = document.createElement("a");
  saver.href = url;
  saver.download = named?.[1] ?? link.download;
  saver.click();
  // The browser has taken the blob by then; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function hasToken(): boolean {
  return storedToken() !== "";
}
