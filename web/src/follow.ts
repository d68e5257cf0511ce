// Keeps the newest line in view until the reader scrolls up.

const kNearPx = 48;

export class Follower {
  private following = true;
  private lastTop = 0;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly jump: HTMLButtonElement,
  ) {
    scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    new ResizeObserver(() => this.keep()).observe(scroller);
    jump.addEventListener("click", () => this.jumpToNewest());
  }

  /** Call after the content changed. */
  keep(): void {
    if (!this.following) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
  }

  private jumpToNewest(): void {
    this.set(true);
    this.keep();
    // The button goes away; the focus must not fall back to the top of the page.
    this.scroller.focus({ preventScroll: true });
  }

  /** Only a move up, against the text's growth, is the reader's wish to stay. */
  private onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight <= kNearPx) this.set(true);
    else if (scrollTop < this.lastTop - 1) this.set(false);
    this.lastTop = scrollTop;
  }

  private set(following: boolean): void {
    this.following = following;
    this.jump.hidden = following;
  }
}
