// The live stream. The browser comes back by itself and says where it was; where it gives up, we come back for it.
//
// A browser opens six connections to a host at most, and a stream holds one for as long as its page is open: of many
// tabs the seventh would hear and load nothing. So only a page that is seen has one. Shown again, it is sent what it missed.

const PATIENCE = 1500; // milliseconds without a stream before the person is told

export class Live {
  /** `on` has message(data), sandbox(data), reset() and connection(ok). */
  constructor(on) {
    this.on = on;
    this.after = 0;
    this.source = null;
    this.wanted = false; // whether there is anything to follow yet
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.resume());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.resume()));
  }

  /** Follow what comes after this change, while the page is seen. */
  open(after) {
    this.close();
    this.after = after;
    this.wanted = true;
    this.resume();
  }

  resume() {
    if (!this.wanted || this.source || document.hidden) return;
    const source = new EventSource(`/events?after=${this.after}`);
    this.source = source;
    source.addEventListener("open", () => this.connected(true));
    source.addEventListener("message", (event) => {
      this.after = Number(event.lastEventId) || this.after;
      this.on.message(JSON.parse(event.data));
    });
    source.addEventListener("sandbox", (event) => this.on.sandbox(JSON.parse(event.data)));
    source.addEventListener("reset", () => {
      this.close();
      this.wanted = false;
      this.on.reset();
    });
    source.addEventListener("error", () => {
      this.connected(false);
      if (source.readyState === EventSource.CLOSED && source === this.source) {
        setTimeout(() => source === this.source && this.open(this.after), 2000);
      }
    });
  }

  close() {
    this.source?.close();
    this.source = null;
    this.connected(null);
  }

  /** `null`: nobody is waiting for an answer. */
  connected(ok) {
    if (ok === false) {
      this.timer ??= setTimeout(() => this.on.connection(false), PATIENCE);
      return;
    }
    clearTimeout(this.timer);
    this.timer = null;
    if (ok) this.on.connection(true);
  }
}
