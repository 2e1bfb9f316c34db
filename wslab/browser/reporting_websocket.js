// The WebSocket that a script in a console gets: the browser's own, which also reports what happens to it.

const MAX_BYTES = 32;

function describe(data) {
  if (data instanceof Blob) return { Blob: howMany(data.size, "byte") };
  if (!(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) return describeText(textOf(data));
  const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  const shown = toHex(bytes.subarray(0, MAX_BYTES));
  const kind = Object.prototype.toString.call(data).slice(8, -1);  // "[object Uint8Array]"
  return { [kind]: bytes.length > MAX_BYTES ? `${shown} … ${bytes.length} bytes` : shown };
}

function describeText(text) {
  return text.length > MAX_CHARACTERS ? { data: text.slice(0, 20) + "…", characters: text.length } : { data: text };
}

const listeners = {
  open: (socket) => ({ protocol: socket.protocol, extensions: socket.extensions }),
  message: (socket, event) => describe(event.data),
  error: () => ({}),
  close: (socket, event) => ({ code: event.code, reason: event.reason, wasClean: event.wasClean }),
};

const ReportingWebSocket = class WebSocket extends window.WebSocket {
  #number;
  #wasOpen = false;

  constructor(...given) {
    const call = { url: given[0], protocols: given.length > 1 ? textOf([given[1]].flat()) : undefined };
    try {
      super(...given);
    } catch (error) {
      report({ what: "new WebSocket()", ...call, threw: error.name });
      throw error;
    }
    this.#number = sockets.push(this);
    report({ what: "new WebSocket()", socket: this.#number, ...call, readyState: this.readyState });
    for (const [type, fields] of Object.entries(listeners)) {
      this.addEventListener(type, (event) => this.#report(type, event, fields(this, event)));
    }
  }

  #report(type, event, fields) {
    if (type === "open") tell(this, "open event");
    if (type === "error" && !this.#wasOpen) {
      tell(this, "error event, which says nothing");
      at("who").open ||= !isDone;  // only the server can say more
    }
    this.#wasOpen ||= type === "open";
    report({ what: type, socket: this.#number, ...fields, readyState: this.readyState });
    if (type === "close") setTimeout(doneIfNothingIsLeft);  // after the script's own listeners
  }

  #call(name, given, act) {
    const call = { what: name, socket: this.#number, ...given };
    try {
      act();
      report({ ...call, readyState: this.readyState, bufferedAmount: name === "send()" ? this.bufferedAmount : undefined });
    } catch (error) {
      report({ ...call, threw: error.name, readyState: this.readyState });
      throw error;
    }
  }

  send(data) {
    this.#call("send()", describe(data), () => super.send(data));
  }

  close(...given) {
    this.#call("close()", { code: given[0], reason: given[1] }, () => super.close(...given));
  }
};
