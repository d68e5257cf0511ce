// The token lives in sessionStorage: gone with the tab. Only a sign-in link brings one in the URL, in
// the fragment, which no server sees, and it is taken out at once.

const kKey = "qylon.token";

function takeFromLink(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("access_token");
  if (token === null) return;
  sessionStorage.setItem(kKey, token);
  history.replaceState(null, "", location.pathname + location.search);
}
takeFromLink();

export function storedToken(): string {
  return sessionStorage.getItem(kKey) ?? "";
}

/** Asks with the page's <dialog id="token">. Resolves when a token was stored. */
export function askForToken(): Promise<void> {
  const dialog = document.getElementById("token-dialog") as HTMLDialogElement;
  const form = dialog.querySelector("form") as HTMLFormElement;
  const input = dialog.querySelector("input") as HTMLInputElement;
  const wrong = dialog.querySelector(".wrong") as HTMLElement;
  wrong.hidden = storedToken() === "";
  input.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      if (input.value.trim() === "") return;
      sessionStorage.setItem(kKey, input.value.trim());
      dialog.close();
      resolve();
    };
  });
}
