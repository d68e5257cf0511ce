// Who uses the page: a person who signed in, or whoever holds an access token. What proves it lives
// in sessionStorage: gone with the tab. Only a sign-in link brings secrets in the URL, in the fragment,
// which no server sees, and they are taken out at once: the tokens of a mailed link, or what `qylon
// sign-in` prints, which is worth a session once.

const kAccess = "qylon.token";
const kRefresh = "qylon.refresh";

/** The page was opened with a link that signs nobody in. */
let usedUp = false;

async function takeFromLink(): Promise<void> {
  const link = new URLSearchParams(location.hash.slice(1));
  const access = link.get("access_token");
  const once = link.get("sign-in");
  if (access === null && once === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  store(access ?? "", link.get("refresh_token") ?? "");
  if (once === null) return;
  usedUp = !(await grant("verify", { type: "email", token_hash: once }).catch(() => false));
}

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

/** A session from a route below /auth/v1. False when the server refuses it. */
async function grant(route: string, body: Record<string, string>): Promise<boolean> {
  const response = await fetch(`/auth/v1/${route}`, {
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
  return token !== "" && (await grant("token?grant_type=refresh_token", { refresh_token: token }).catch(() => false));
}

/** Asks with the page's dialog. Resolves when a token was stored. */
function ask(): Promise<void> {
  const dialog = document.getElementById("token-dialog") as HTMLDialogElement;
  const form = dialog.querySelector("form") as HTMLFormElement;
  const value = (id: string) => (document.getElementById(id) as HTMLInputElement).value.trim();
  const wrong = dialog.querySelector(".wrong") as HTMLElement;
  if (usedUp) wrong.textContent = "The link was used before, or is too old.";
  wrong.hidden = storedToken() === "" && !usedUp;
  form.reset();
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      wrong.textContent = "This was not accepted.";
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
  return grant("token?grant_type=password", { email, password }).catch(() => false);
}

/** What the page's address brought is stored. */
export const arrived: Promise<void> = takeFromLink();

let renewing: Promise<void> | undefined;

/** A token that the server may take: by the session's refresh token, or from the person. */
export function renewToken(): Promise<void> {
  renewing ??= refreshed()
    .then((done) => (done ? undefined : ask()))
    .finally(() => (renewing = undefined));
  return renewing;
}
