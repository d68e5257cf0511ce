// Draws the transcript. Text only ever goes in by textContent.

import type { Change, Line } from "./transcript";
import { clockTime, nameOf, voiceOf } from "./voices";

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function draw(line: Line): HTMLLIElement {
  const item = element("li", `line voice-${voiceOf(line.speaker.key)}`);
  item.classList.toggle("interim", !line.final);
  item.dataset["segment"] = String(line.segment);
  item.dataset["speaker"] = line.speaker.key;
  const text = element("p", "text");
  const words = line.text.split(" ");
  const stable = line.final ? words.length : line.stableWords;
  text.append(words.slice(0, stable).join(" "));
  if (stable < words.length) {
    text.append(stable > 0 ? " " : "", element("span", "tentative", words.slice(stable).join(" ")));
  }
  const name = element("button", "name", nameOf(line.speaker));
  name.type = "button";
  name.title = "Rename this speaker";
  // Who an interim is may still change, and somebody unknown is nobody to be renamed.
  name.disabled = !line.final || line.speaker.key === "";
  item.append(
    name,
    element("span", "time", clockTime(line.startMs)),
    text,
  );
  return item;
}

/** A line after another one of the same speaker shows no second name. */
function joinToPrevious(item: Element | null): void {
  if (!(item instanceof HTMLElement)) return;
  const previous = item.previousElementSibling;
  const same = previous instanceof HTMLElement && previous.dataset["speaker"] === item.dataset["speaker"];
  item.classList.toggle("again", same);
}

export class LineList {
  private readonly items = new Map<number, HTMLLIElement>();

  constructor(private readonly list: HTMLOListElement) {}

  apply(change: Change): void {
    if (change.kind === "cleared") this.clear();
    if (change.kind === "removed") change.segments.forEach((segment) => this.remove(segment));
    if (change.kind === "shown") this.show(change.line, change.index);
    if (change.kind === "relabelled") change.lines.forEach((line) => this.redraw(line));
  }

  private clear(): void {
    this.list.replaceChildren();
    this.items.clear();
  }

  private remove(segment: number): void {
    const item = this.items.get(segment);
    const next = item?.nextElementSibling ?? null;
    item?.remove();
    this.items.delete(segment);
    joinToPrevious(next);
  }

  private redraw(line: Line): void {
    const old = this.items.get(line.segment);
    if (old === undefined) return;
    const item = draw(line);
    old.replaceWith(item);
    this.items.set(line.segment, item);
    joinToPrevious(item);
    joinToPrevious(item.nextElementSibling);
  }

  private show(line: Line, index: number): void {
    this.remove(line.segment);
    const item = draw(line);
    this.list.insertBefore(item, this.list.children[index] ?? null);
    this.items.set(line.segment, item);
    joinToPrevious(item);
    joinToPrevious(item.nextElementSibling);
  }
}

/** Tells a screen reader the finals as they come: interims, which change, would be read again and
 *  again. */
export class Announcer {
  private static readonly kept = 12;

  constructor(private readonly log: HTMLElement) {}

  say(line: Line): void {
    this.log.append(element("p", "", `${nameOf(line.speaker)}: ${line.text}`));
    while (this.log.childElementCount > Announcer.kept) this.log.firstElementChild?.remove();
  }
}
