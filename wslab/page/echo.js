// The Echo test page: what a WebSocket does while its buttons are pressed.

const MEANINGS = {
  1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
  1005: "a close frame without a code", 1006: "no close frame arrived", 1007: "invalid payload data",
  1008: "policy violation", 1009: "message too big", 1010: "mandatory extension", 1011: "internal error",
  1012: "service restart", 1013: "try again later", 1014: "bad gateway", 1015: "TLS handshake",
};
const CURES = {
  1001: "The server is going away: see whether it was stopped, start it again and press Connect.",
  1009: "The message was longer than this server takes: send a shorter one, or give the server a higher limit.",
  1011: "The server met an error that is its own: its log says more than a close frame can.",
};
const MAX_UNANSWERED = 1000;

let socket = null;  // one at a time
let gaveUp = false;  // close() came before its open event
let counts = { sent: [0, 0], received: [0, 0] };  // messages and bytes of this WebSocket
let unanswered = [];  // what was sent and has not come back, with the time
const HISTORY = [];  // what was sent, for the keys ↑ and ↓
let recalled = 0;  // the place in it; behind its end is what was being written
let draft = "";

// What the page shows

function note(what, fields = {}, className = "", time = performance.now()) {
  addRow({ what, fields, time }, className);
  showState();
}

function noteMessage(what, data, fields, time = performance.now()) {
  addMessage({ what, data, fields, time, socket });
  showState();
}

function count(direction, data) {
  counts[direction][0] += 1;
  counts[direction][1] += sizeOf(data);
}

function showState() {
  const now = {
    readyState: socket ? `${socket.readyState} ${STATES[socket.readyState]}` : "no WebSocket yet",
    sent: describe(counts.sent),
    received: describe(counts.received),
    bufferedAmount: socket ? howMany(socket.bufferedAmount, "byte") : "–",
    protocol: socket ? socket.protocol || '""' : "–",
    extensions: socket ? socket.extensions || '""' : "–",
    url: socket ? socket.url : "–",
  };
  for (const [id, text] of Object.entries(now)) at(id).textContent = text;
  const state = socket ? STATES[socket.readyState] : "not connected";
  if (at("badge").textContent !== state) at("badge").textContent = state;
  at("badge").className = state;
  at("connect").classList.toggle("first", !socket || socket.readyState === WebSocket.CLOSED);
  at("send").classList.toggle("first", socket?.readyState === WebSocket.OPEN);
}

function describe([messages, bytes]) {
  return `${howMany(messages, "message")}, ${howMany(bytes, "byte")}`;
}

// One sentence: what is wrong, and what to do, above the log. `box` is the text box where it can be put right: then the
// sentence stands below it.
function advise(sentence, box = null) {
  for (const corrected of document.querySelectorAll("[aria-invalid]")) {
    corrected.removeAttribute("aria-invalid");
    corrected.removeAttribute("aria-errormessage");
  }
  if (box === null) at("talk").prepend(at("advice"));
  else box.form.append(at("advice"));
  at("advice").textContent = sentence;
  if (sentence) at("advice").scrollIntoView({ block: "nearest" });
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
  counts = { sent: [0, 0], received: [0, 0] };
  unanswered = [];
  url = withToken(url);
  const fields = protocols.length ? { url, protocols: protocols.join(", ") } : { url };
  note("new WebSocket()", { ...fields, at: new Date().toLocaleTimeString() });
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
  if (/^https?:/i.test(url)) {
    advise("A browser takes http:// as ws:// and https:// as wss://, see url; elsewhere write ws:// or wss://.");
  } else if (!/^[a-z]+:/i.test(url)) {
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
    count("received", event.data);
    noteMessage("← message", event.data, { origin: event.origin, ...delayOf(event) }, event.timeStamp);
  });
  socket.addEventListener("error", (event) => {
    note("error", { "tells a page": "nothing" }, "threw", event.timeStamp);
  });
  socket.addEventListener("close", (event) => {
    const meaning = MEANINGS[event.code] ? ` (${MEANINGS[event.code]})` : "";
    const fields = { code: event.code + meaning, reason: event.reason, wasClean: event.wasClean };
    note("close", fields, "", event.timeStamp);
    if (event.code === 1006) adviseOnFailure(wasOpen);
    else if (event.code in CURES) advise(CURES[event.code]);
  });
}

// How long the message took to come back, if this is the echo of one.
function delayOf({ data, timeStamp }) {
  const isEcho = (sent) => (typeof data === "string" ? sent.data === data : sent.data.byteLength === sizeOf(data));
  const index = unanswered.findIndex(isEcho);
  if (index < 0) return {};
  const [sent] = unanswered.splice(index, 1);
  return { "back after": `${(timeStamp - sent.time).toFixed(1)} ms` };
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
  const isLost = socket.readyState > WebSocket.OPEN;
  noteMessage(isLost ? "→ send() (lost)" : "→ send()", data);
  if (!isLost) {
    count("sent", data);
    at("record").scrollIntoView({ block: "nearest" });  // on a narrow screen the answer comes below the form
    if (unanswered.push({ data, time: performance.now() }) > MAX_UNANSWERED) unanswered.shift();
    showState();
  } else {
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
  if (HISTORY.at(-1) !== at("message").value) HISTORY.push(at("message").value);
  recalled = HISTORY.length;
  const data = at("as-bytes").checked ? parseHex(at("message").value) : at("message").value;
  if (data !== null) sendData(data);
  else advise("This is not hex: write two digits for each byte, such as 48 65 6c 6c 6f.", at("message"));
});
at("message").addEventListener("keydown", (event) => {
  if (event.shiftKey || event.isComposing) return;
  if (event.key === "Enter") at("sending").requestSubmit();
  else if (!(event.key === "ArrowUp" && recall(-1)) && !(event.key === "ArrowDown" && recall(1))) return;
  event.preventDefault();
});

// Show an earlier or a later message, if the cursor is in the first or in the last line.
function recall(step) {
  const box = at("message"), { value, selectionStart: start } = box;
  const leaves = step < 0 ? !value.slice(0, start).includes("\n") : !value.slice(start).includes("\n");
  const place = recalled + step;
  if (!leaves || place < 0 || place > HISTORY.length) return false;
  if (recalled === HISTORY.length) draft = value;
  recalled = place;
  box.value = HISTORY[place] ?? draft;
  return true;
}

at("binaryType").addEventListener("change", () => {
  if (socket !== null) socket.binaryType = at("binaryType").value;
});
at("copy").addEventListener("click", () => copy(textOfLog()));

// A link that fills in the boxes; it never connects or sends by itself

const BOXES = { url: "location", protocols: "protocols", send: "message" };

at("link").addEventListener("click", () => {
  const parts = new URLSearchParams();
  for (const [name, id] of Object.entries(BOXES)) if (at(id).value) parts.set(name, at(id).value);
  if (at("as-bytes").checked) parts.set("as", "bytes");
  copy(`${location.origin}${location.pathname}#${parts}`);
});
at("location").value = `${location.protocol.replace("http", "ws")}//${location.host}${location.pathname}`;

function fillIn() {
  const filled = new URLSearchParams(location.hash.slice(1));
  for (const [name, id] of Object.entries(BOXES)) if (filled.has(name)) at(id).value = filled.get(name);
  if (location.hash) at(filled.get("as") === "bytes" ? "as-bytes" : "as-text").checked = true;
}

window.addEventListener("hashchange", fillIn);  // a link that is pasted while the page is open loads nothing
fillIn();
showState();
setInterval(showState, 250);  // bufferedAmount shrinks without an event
