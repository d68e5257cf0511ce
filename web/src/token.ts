// Who uses the page: a person who signed in, or whoever holds an access token. What proves it lives
// in sessionStorage: gone with the tab. Only a sign-in link brings tokens in the URL, in the fragment,
// which no server sees, and they are taken out at once.

const kAccess = "qylon.token";
const kRefresh = "qylon.refresh";

function takeFromLink(): void {
  const link = new URLSearchParams(location.hash.slice(1));
  const token = link.get("access_token");
  if (token === null) return;
  store(token, link.get("refresh_token") ?? "");
  history.replaceState(null, "", location.pathname + location.search);
}
takeFromLink();

export function storedToken(): string {
  return sessionStorage.getItem(kAccess) ?? "";
}

function store(access: string, refresh = ""): void {
  sessionStorage.setItem(kAccess, access);
  sessionStorage.setItem(kRefresh, refresh);
}

interface Session {
  access_token: string;
  refresh_token: string;
}

/** One grant of /auth/v1/token. False when the server refuses it. */
async function grant(type: string, body: Record<string, string>): Promise<boolean> {
  const response = await fetch(`/auth/v1/token?grant_type=${type}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) return false;
  const session = (await response.json()) as Session;
  store(session.access_token, session.refresh_token);
  return true;
}

async function refreshed(): Promise<boolean> {
  const token = sessionStorage.getItem(kRefresh) ?? "";
  return token !== "" && (await grant("refresh_token", { refresh_token: token }).catch(() => false));
}

/** Asks with the page's dialog. Resolves when a token was stored. */
function ask(): Promise<void> {
  const dialog = document.getElementById("token-dialog") as HTMLDialogElement;
  const form = dialog.querySelector("form") as HTMLFormElement;
  const value = (id: string) => (document.getElementById(id) as HTMLInputElement).value.trim();
  const wrong = dialog.querySelector(".wrong") as HTMLElement;
  wrong.hidden = storedToken() === "";
  form.reset();
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      wrong.hidden = value("token") !== "" || (await signedIn(value("email"), value("password")));
      if (!wrong.hidden) return;
      if (value("token") !== "") store(value("token"));
      dialog.close();
      resolve();
    };
  });
}

function signedIn(email: string, password: string): Promise<boolean> {
  if (email === "" || password === "") return Promise.resolve(false);
  return grant("password", { email, password }).catch(() => false);
}

let renewing: Promise<void> | undefined;

/** A token that the server may take: by the session's refresh token, or from the person. */
export function renewToken(): Promise<void> {
  renewing ??= refreshed()
    .then((done) => (done ? undefined : ask()))
    .finally(() => (renewing = undefined));
  return renewing;
}
