// Search runs in a worker, which browsers refuse to pages that are opened as files. There, a hidden frame does its work.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.frame = frame;
      addEventListener("message", ({ data, source }) => {
        if (source !== frame.contentWindow) return;
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        this.onmessage?.(event);
      });
      const inside = frame.contentDocument;
      const relay = "postMessage = (message) => parent.dispatchEvent(new MessageEvent('message', { data: message, source: window }))";
      inside.open();
      inside.write(`<body><script>${relay}</scr` + `ipt><script src="${url}"></scr` + `ipt></body>`);
      inside.close();
      this.ready = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
    }

    postMessage(message) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow;
        inside.dispatchEvent(new inside.MessageEvent("message", { data: message }));
      });
    }

    terminate() {
      this.frame.remove();
    }
  };
}
