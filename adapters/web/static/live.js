// The live stream. The browser comes back by itself and says where it was; where it gives up, we come back for it.

const PATIENCE = 1500; // milliseconds without a stream before the person is told

export class Live {
  /** `on` has message(data), sandbox(data), reset() and connection(ok). */
  constructor(on) {
    this.on = on;
    this.after = 0;
    this.source = null;
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open(this.after));
  }

  open(after) {
    this.close();
    this.after = after;
    const source = new EventSource(`/events?after=${after}`);
    this.source = source;
    source.addEventListener("open", () => this.connected(true));
    source.addEventListener("message", (event) => {
      this.after = Number(event.lastEventId) || this.after;
      this.on.message(JSON.parse(event.data));
    });
    source.addEventListener("sandbox", (event) => this.on.sandbox(JSON.parse(event.data)));
    source.addEventListener("reset", () => {
      this.close();
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
  }

  connected(ok) {
    if (ok) {
      clearTimeout(this.timer);
      this.timer = null;
      this.on.connection(true);
    } else {
      this.timer ??= setTimeout(() => this.on.connection(false), PATIENCE);
    }
  }
}
