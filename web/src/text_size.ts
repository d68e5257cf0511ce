// The size of the text, kept for the next visit. The sizes are in style.css.

const kKey = "qylon.text-size";
const kSmallest = 0;
const kLargest = 6;
const kUsual = 2;

function stored(): number {
  const size = Number(localStorage.getItem(kKey) ?? kUsual);
  return Number.isInteger(size) && size >= kSmallest && size <= kLargest ? size : kUsual;
}

/** Wires the two buttons; `changed` is called after each step. */
export function setUpTextSize(
  smaller: HTMLButtonElement,
  larger: HTMLButtonElement,
  changed: () => void,
): void {
  const show = (size: number): void => {
    document.documentElement.dataset["size"] = String(size);
    smaller.disabled = size === kSmallest;
    larger.disabled = size === kLargest;
  };
  const step = (by: number): void => {
    const size = Math.min(kLargest, Math.max(kSmallest, stored() + by));
    localStorage.setItem(kKey, String(size));
    show(size);
    changed();
  };
  smaller.addEventListener("click", () => step(-1));
  larger.addEventListener("click", () => step(1));
  show(stored());
}
