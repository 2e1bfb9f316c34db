// The Echo test page: what a WebSocket does while its buttons are pressed.

const MEANINGS = {
  1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
  1005: "a close frame without a code", 1006: "no close frame arrived", 1007: "invalid payload data",
  1008: "policy violation", 1009: "message too big", 1010: "mandatory extension", 1011: "internal error",
  1012: "service restart", 1013: "try again later", 1014: "bad gateway", 1015: "TLS handshake",
};
const MAX_ENTRIES = 500, MAX_CHARACTERS = 10000, MAX_BYTES = 1000;

let socket = null;  // one at a time
let gaveUp = false;  // close() came before its open event
let beginning = performance.now();  // of its life: the log counts seconds from here

// What the page shows

function shorten(text) {
  return readable(text.slice(0, MAX_CHARACTERS)) + (text.length > MAX_CHARACTERS ? " …" : "");
}

function note(what, fields = {}, className = "", time = performance.now()) {
  const log = at("log"), wasAtEnd = isAtEnd(log);
  const entry = add(log, "p", "");
  add(entry, "span", ((time - beginning) / 1000).toFixed(3), "quiet");
  add(entry, "b", what, className);
  for (const [name, value] of Object.entries(fields)) {
    const field = add(entry, "span", "");
    add(field, "span", name, "quiet");
    add(field, "bdi", shorten(String(value)), name === "data" ? "data" : "");
  }
  while (log.children.length > MAX_ENTRIES) log.firstElementChild.remove();
  if (wasAtEnd) log.scrollTop = log.scrollHeight;
  showState();
  return entry;
}

function noteMessage(what, data, fields, time) {
  if (typeof data === "string") {
    note(what, { data, text: `${new TextEncoder().encode(data).length} bytes`, ...fields }, "", time);
    return;
  }
  const size = data.size ?? data.byteLength, start = data.slice(0, MAX_BYTES);
  const entry = note(what, { data: "…", [data.constructor.name]: `${size} bytes`, ...fields }, "", time);
  const show = (buffer) => {
    entry.querySelector(".data").textContent = (toHex(new Uint8Array(buffer)) || '""') + (size > MAX_BYTES ? " …" : "");
  };
  if (start instanceof Blob) start.arrayBuffer().then(show);  // it can be read only later
  else show(start);
}

function showState() {
  const now = {
    readyState: socket ? `${socket.readyState} ${STATES[socket.readyState]}` : "no WebSocket yet",
    bufferedAmount: socket ? `${socket.bufferedAmount} bytes` : "–",
    protocol: socket ? socket.protocol || '""' : "–",
    extensions: socket ? socket.extensions || '""' : "–",
    url: socket ? socket.url : "–",
  };
  for (const [id, text] of Object.entries(now)) at(id).textContent = text;
}

// One sentence: what is wrong, and what to do. `box` is the text box where it can be put right.
function advise(sentence, box = null) {
  for (const corrected of document.querySelectorAll("[aria-invalid]")) {
    corrected.removeAttribute("aria-invalid");
    corrected.removeAttribute("aria-errormessage");
  }
  at("advice").textContent = sentence;
  if (box === null) return;
  box.setAttribute("aria-invalid", "true");
  box.setAttribute("aria-errormessage", "advice");
  box.focus();
}

// Open

function openSocket(url, protocols) {
  if (socket !== null && socket.readyState !== WebSocket.CLOSED) {
    const state = STATES[socket.readyState];
    advise(`There is a WebSocket in state ${state} already: press Disconnect and wait for its close event.`);
    return;
  }
  advise("");
  socket = null;
  gaveUp = false;
  beginning = performance.now();
  note("new WebSocket()", protocols.length ? { url, protocols: protocols.join(", ") } : { url });
  try {
    socket = new WebSocket(url, protocols);
  } catch (error) {
    note(`threw ${error.name}`, { message: error.message }, "threw");
    adviseOnAddress(error, protocols);
    return;
  }
  socket.binaryType = at("binaryType").value;
  listen(socket);
  showState();
  if (!/^[a-z]+:/i.test(url)) {
    advise("An address without ws:// is taken as a path on the server of this page, see url: write ws:// before it.");
  }
}

function listen(socket) {
  let wasOpen = false;
  socket.addEventListener("open", (event) => {
    wasOpen = true;
    note("open", { protocol: socket.protocol, extensions: socket.extensions }, "", event.timeStamp);
  });
  socket.addEventListener("message", (event) => {
    noteMessage("← message", event.data, { origin: event.origin }, event.timeStamp);
  });
  socket.addEventListener("error", (event) => {
    note("error", { "tells a page": "nothing" }, "threw", event.timeStamp);
  });
  socket.addEventListener("close", (event) => {
    const meaning = MEANINGS[event.code] ? ` (${MEANINGS[event.code]})` : "";
    const fields = { code: event.code + meaning, reason: event.reason, wasClean: event.wasClean };
    note("close", fields, "", event.timeStamp);
    if (event.code === 1006) adviseOnFailure(wasOpen);
  });
}

function adviseOnAddress(error, protocols) {
  const isName = (protocol) => /^[!#$%&'*+\-.^`|~\w]+$/.test(protocol);
  if (error.name === "SecurityError") {
    advise("From a page that came by https, ws:// would be mixed content: write wss://.", at("location"));
  } else if (!protocols.every(isName) || new Set(protocols).size < protocols.length) {
    advise("Subprotocols have no brackets or quotes, and none is offered twice: correct the list.", at("protocols"));
  } else {
    advise("No WebSocket has such an address: write ws://host:port/path or wss://host/path, and no #.", at("location"));
  }
}

function adviseOnFailure(wasOpen) {
  if (wasOpen) {
    advise("TCP ended without a close frame, so a page is told 1006: look after the server, then press Connect.");
  } else if (gaveUp) {
    advise("close() before the open event ends the handshake, so a page is told 1006: press Connect and wait for open.");
  } else {
    advise(
      "The handshake failed, and a browser tells a page 1006 but not why: see whether a server listens there, agrees " +
      "to this page's Origin and subprotocols, and has a certificate that is trusted; the console (F12) may say more."
    );
  }
}

// Send

function sendData(data) {
  if (socket === null) {
    advise("There is no WebSocket to send with: press Connect first.");
    return;
  }
  advise("");
  try {
    socket.send(data);
  } catch (error) {
    note(`send() threw ${error.name}`, { message: error.message }, "threw");
    advise("send() does not wait for the open event, it throws: send again when readyState is 1 OPEN.");
    return;
  }
  noteMessage("→ send()", data);
  if (socket.readyState > WebSocket.OPEN) {
    const state = STATES[socket.readyState];
    advise(`send() says nothing, but the message is lost, as the state is ${state}: press Connect and send it again.`);
  }
}

function parseHex(text) {
  const digits = text.replace(/[\s,:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer;
}

// Close

function closeSocket(code, reason) {
  if (socket === null) {
    advise("There is no WebSocket to close: press Connect first.");
    return;
  }
  advise("");
  const given = reason ? [Number(code || 1000), reason] : code ? [Number(code)] : [];
  const call = `close(${given.map((value) => (value === reason ? JSON.stringify(value) : value)).join(", ")})`;
  const isEarly = socket.readyState === WebSocket.CONNECTING;
  try {
    socket.close(...given);
    gaveUp ||= isEarly;
    note(call);
  } catch (error) {
    note(`${call} threw ${error.name}`, { message: error.message }, "threw");
    if (error.name === "SyntaxError") advise("A reason has at most 123 bytes in UTF-8: shorten it.", at("reason"));
    else advise("A page may close with 1000 and 3000 to 4999, and no other code: choose one of these.", at("code"));
  }
}

// What the buttons and keys do

function onSubmit(id, act) {
  at(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

onSubmit("opening", () => {
  openSocket(at("location").value.trim(), at("protocols").value.split(/[\s,]+/).filter(Boolean));
});
onSubmit("closing", () => closeSocket(at("code").value.trim(), at("reason").value));
onSubmit("sending", () => {
  const data = at("as-bytes").checked ? parseHex(at("message").value) : at("message").value;
  if (data !== null) sendData(data);
  else advise("This is not hex: write two digits for each byte, such as 48 65 6c 6c 6f.", at("message"));
});
at("message").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("sending").requestSubmit();
});
at("binaryType").addEventListener("change", () => {
  if (socket !== null) socket.binaryType = at("binaryType").value;
});
at("clear").addEventListener("click", () => at("log").replaceChildren());

at("location").value = `${location.protocol.replace("http", "ws")}//${location.host}${location.pathname}`;
showState();
setInterval(showState, 250);  // bufferedAmount shrinks without an event
