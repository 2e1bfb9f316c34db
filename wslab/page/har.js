// The log as a HAR, in the form in which Chrome's network panel writes the messages of a WebSocket.

const HTTP = "HTTP/1.1", NOTHING = { headersSize: -1, bodySize: -1, cookies: [], httpVersion: HTTP };

async function base64(data) {
  const bytes = new Uint8Array(await new Blob([data]).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function toDate(time) {
  return new Date(performance.timeOrigin + time);
}

async function toMessage({ data, what, time }) {
  const isText = typeof data === "string";
  return {
    type: what.startsWith("→") ? "send" : "receive",
    time: toDate(time).getTime() / 1000,
    opcode: isText ? 1 : 2,
    data: isText ? data : await base64(data),
  };
}

// What a page knows of the handshake: no key, no cookies.
function toEntry({ url, protocol, extensions }, started) {
  const target = new URL(url), agreed = [];
  if (target.searchParams.has(PARAMETER)) target.searchParams.delete(PARAMETER);  // whoever has it sees this connection
  if (protocol) agreed.push({ name: "Sec-WebSocket-Protocol", value: protocol });
  if (extensions) agreed.push({ name: "Sec-WebSocket-Extensions", value: extensions });
  const asked = [["Host", target.host], ["Upgrade", "websocket"], ["Connection", "Upgrade"], ["Origin", location.origin]];
  return {
    _resourceType: "websocket",
    _webSocketMessages: [],
    startedDateTime: toDate(started).toISOString(),
    time: 0,
    timings: { send: 0, wait: 0, receive: 0 },
    cache: {},
    request: {
      ...NOTHING, method: "GET", url: target.href, queryString: [], headers: asked.map(([name, value]) => ({ name, value })),
    },
    response: {
      ...NOTHING, status: 101, statusText: "Switching Protocols", redirectURL: "", headers: agreed,
      content: { size: 0, mimeType: "x-unknown" },
    },
  };
}

async function toHar(rows) {
  const entries = new Map();
  for (const row of rows.filter(({ socket, data }) => socket && data !== undefined)) {
    if (!entries.has(row.socket)) entries.set(row.socket, toEntry(row.socket, row.time));
    entries.get(row.socket)._webSocketMessages.push(await toMessage(row));
  }
  const creator = { name: "wslab Echo test", version: "1" };
  const comment = at("dropped").textContent;  // what the log, and so this file, no longer has
  return { log: { version: "1.2", creator, pages: [], entries: [...entries.values()], ...(comment && { comment }) } };
}

at("save").addEventListener("click", async () => {
  const text = JSON.stringify(await toHar([...ENTRIES.values()]), null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "echo-test.har";
  link.click();
  URL.revokeObjectURL(link.href);
});
