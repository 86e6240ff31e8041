// For pages that are files: there a browser starts no worker, so the script of the search runs in a hidden frame instead.
// Its name is known to Zensical, which would otherwise fetch such a script from a network.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.onmessage?.({ data });
      const script = inside.document.createElement("script");
      script.src = new URL(address, document.baseURI);
      script.onload = () => {
        this.inside = inside;
        this.waiting.forEach((data) => this.postMessage(data));
      };
      inside.document.documentElement.append(script);
    }
    postMessage(data) {
      if (!this.inside) this.waiting.push(data);
      // Later, as a worker would: an answer while the page is still asking is an error to it ("Cycle detected").
      else setTimeout(() => this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data })));
    }
  };
}
