// The server's own view of this page's WebSocket: its frames, byte by byte, which no browser tells a page.

const PARAMETER = "wslab-view", ASK_EVERY = 300;  // milliseconds

let view = null;  // of the WebSocket that is watched: its token, and how many of its frames are shown

// The address with a token for the server, if the reader wants its view and it is the server of this page.
function withToken(url) {
  view = null;
  at("frames").replaceChildren();
  at("server-note").textContent = "";
  at("server-side").hidden = !at("as-server").checked;
  if (!at("as-server").checked) return url;
  const target = URL.canParse(url, location) ? new URL(url, location) : null;
  if (target?.host !== location.host) {
    at("server-note").textContent = "Only the server that this page comes from can show it.";
    return url;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  view = { token: toHex(bytes).replaceAll(" ", ""), shown: 0 };
  target.protocol = location.protocol.replace("http", "ws");
  target.searchParams.set(PARAMETER, view.token);
  return target.href;
}

async function askServer() {
  const asked = view;
  if (asked === null || asked.isAsking) return;
  asked.isAsking = true;
  const wasClosed = socket?.readyState === WebSocket.CLOSED;  // then nothing more comes than what has
  try {
    const headers = { "Wslab-View": asked.token, "Wslab-From": String(asked.shown) };
    const { frames, left_out } = await (await fetch(location.pathname, { headers })).json();
    if (asked !== view) return;
    showFrames(frames, left_out);
    if (wasClosed && !frames.length) view = null;
  } catch {
    if (asked !== view) return;
    at("server-note").textContent = "The server does not answer: it may have been stopped.";
    if (wasClosed) view = null;
  } finally {
    asked.isAsking = false;
  }
}

function showFrames(frames, leftOut) {
  const log = at("frames");
  followEnd(log);
  for (const frame of frames) {
    const row = add(log, "p", "");
    add(row, "b", frame.from === "client" ? "→ client sent" : "← server sent");
    add(row, "span", howMany(frame.bytes, "byte"), "quiet");
    if (frame.hex) add(row, "span", frame.hex, "data");
    add(row, "bdi", readable(frame.what));
  }
  view.shown += frames.length;
  at("server-note").textContent = leftOut;
}

setInterval(() => at("server-side").hidden || askServer(), ASK_EVERY);
