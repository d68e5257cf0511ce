// The token lives in sessionStorage: gone with the tab, never in a URL.

const kKey = "qylon.token";

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
