// The page of a BrowserConsole: it fetches a script with its ticket, runs it, shows what happens, and reports it.

const OF_PROXY = "handshake, compression, subprotocol, pings and close codes are those between page and proxy.";
const WAYS = {
  direct: { hops: ["This page", "Server"], words: "This page talks to the server directly: what it is told is what the server said." },
  forwarded: {
    hops: ["This page", "Proxy or forwarded port", "Server"],
    words: `There is a proxy or a forwarded port between this page and the server. A forwarded port changes nothing; with a proxy, ${OF_PROXY}`,
  },
  proxied: { hops: ["This page", "Proxy", "Server"], words: `There is a proxy between this page and the server: ${OF_PROXY}` },
};
const UNREACHABLE = "Python cannot be reached: if the server or the kernel has stopped, start it and run the cell again.";
const OVER = "Python takes no more reports: the cell did not wait longer for done(), or the server or the kernel has stopped.";
const MAX_EVENTS = 990, MAX_IN_A_REPORT = 15, MAX_CHARACTERS = 300;
const MAX_LOG_HEIGHT = 512;  // pixels, as the style says

const ticket = location.hash.slice(1);
const token = toHex(crypto.getRandomValues(new Uint8Array(32))).replaceAll(" ", "");
const base = location.pathname.replace(/[^/]*$/, "");
const url = `${location.protocol.replace("http", "ws")}//${location.host}${base}`;
const handshake = { told: null, server: null };

let isDone = false;
let hasFailed = false;  // the script itself, not one of its listeners
let reported = 0;
let unsent = [];
let isReporting = false;
const sockets = [];

history.replaceState(null, "", location.pathname);  // a reload must not carry the ticket, which is spent

// What the page shows

function show({ what, ...fields }) {
  const log = at("log"), wasAtEnd = isAtEnd(log);
  const entry = add(log, "p", "");
  add(entry, "b", what, "threw" in fields ? "threw" : "");
  for (const [name, value] of Object.entries(fields)) {
    const field = add(entry, "span", "");
    add(field, "span", name, "quiet");
    add(field, "bdi", readable(name === "readyState" ? `${value} ${STATES[value]}` : textOf(value)));
  }
  if (wasAtEnd && !isDone) log.scrollTop = log.scrollHeight;  // what comes later pushes nothing out of sight
  askForHeight();
}

function advise(sentence) {
  at("advice").textContent = sentence;
}

function showHops({ hops, words }) {
  at("hop").textContent = words;
  for (const name of hops) add(at("hops"), "li", name);
}

// Both handshakes side by side: the page's own, and the one that the server has seen.
function showHandshake() {
  const told = handshake.told ?? {}, server = handshake.server ? parseHeads(handshake.server) : {};
  at("handshakes").replaceChildren();
  for (const name of ["address", "origin", "extensions", "subprotocol", "outcome"]) {
    const row = add(at("handshakes"), "tr", "");
    add(row, "th", name).scope = "row";
    for (const side of [told, server]) add(row, "td", name in side ? readable(side[name]) : "–");
  }
}

function parseHeads({ request, response }) {
  const find = (head, name) => head.match(new RegExp(`^${name}: (.*)$`, "im"))?.[1] ?? "none";
  return {
    address: `${request.split("\n")[0]}, Host ${find(request, "Host")}`,
    origin: find(request, "Origin"),
    extensions: `offered ${find(request, "Sec-WebSocket-Extensions")}\nagreed ${find(response, "Sec-WebSocket-Extensions")}`,
    subprotocol: `offered ${find(request, "Sec-WebSocket-Protocol")}, agreed ${find(response, "Sec-WebSocket-Protocol")}`,
    outcome: response.split("\n")[0].replace("HTTP/1.1 ", ""),
  };
}

function tell(socket, outcome) {
  const { url: address, protocol: subprotocol, extensions } = socket;
  handshake.told = { address, origin: location.origin, extensions, subprotocol, outcome };
  showHandshake();
}

// A notebook may make the box around this page as high as that needs to be; while the script runs, no lower than it is.
function askForHeight() {
  const log = at("log");
  const rest = document.body.offsetHeight - log.offsetHeight;
  if (!document.querySelector("details[open]")) document.body.style.setProperty("--rest", `${rest}px`);
  const height = rest + Math.min(log.scrollHeight + log.offsetHeight - log.clientHeight, MAX_LOG_HEIGHT);
  parent.postMessage({ wslabHeight: isDone ? height : Math.max(height, innerHeight) }, "*");
}

// What the page reports. Addresses, times and keys are not in it: they change from run to run.

function plain(value) {
  if (typeof value === "boolean" || value === null || Math.abs(value) <= Number.MAX_SAFE_INTEGER && typeof value === "number") return value;
  const text = textOf(value).replaceAll(url, "<url>").replaceAll(location.host, "<host>");
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

function textOf(value) {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

function report(fields) {
  const event = Object.entries(fields).filter(([, value]) => value !== undefined);
  show(Object.fromEntries(event));
  if (isDone) return;
  unsent.push(Object.fromEntries(event.map(([name, value]) => [name, plain(value)])));
  reported += 1;
  if (reported > MAX_EVENTS) {
    advise(`This script has made ${MAX_EVENTS} events, and no more are taken: let it do less.`);
    done();
  }
  sendReports();
}

async function sendReports() {
  if (isReporting) return;
  isReporting = true;
  let isOver = false;
  while (unsent.length || (isDone && !isOver)) {
    const events = unsent.splice(0, MAX_IN_A_REPORT);
    isOver = isDone && !unsent.length;
    const answer = await post("report", { "Wslab-Token": token }, { events, done: isOver });
    if (answer === null) return;
    showHandshakes(answer.handshakes);
  }
  isReporting = false;
  if (isOver) at("status").textContent = `${hasFailed ? "Failed" : "Done"}: Python has ${reported} ${reported === 1 ? "event" : "events"}`;
}

function showHandshakes(handshakes) {
  for (const found of handshakes) {
    handshake.server = found;
    const text = `${found.request}\n\n${found.response}`;
    at("heads").textContent = at("heads").textContent.startsWith("No ") ? text : `${at("heads").textContent}\n\n${text}`;
  }
  showHandshake();
}

// What the server says to this page; null if it refuses, which is then explained. A page of HTML comes from a proxy
// whose server has gone, and may hold what is secret.
async function post(path, headers, body) {
  let refusal = "";
  try {
    const answer = await fetch(`console/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.ok) return await answer.json();
    if (answer.headers.get("Content-Type")?.startsWith("text/plain")) refusal = (await answer.text()).trim();
  } catch {
    // Nobody answers, or not as the server does.
  }
  if (refusal) advise(`The console refused this page: ${refusal} Run the cell again to get a new one.`);
  else advise(path === "claim" ? UNREACHABLE : OVER);
  at("status").textContent = "Stopped";
  return null;
}

function done() {
  if (isDone) return;
  isDone = true;
  sendReports();
}

function doneIfNothingIsLeft() {
  if (hasFailed && sockets.every((socket) => socket.readyState === socket.CLOSED)) done();
}

function reportUncaught(error, line) {
  report({ what: "uncaught", threw: error?.name ?? typeof error, message: error?.message ?? String(error), line });
}

// What the script gets

function until(target, type) {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

function log(...values) {
  const text = (value) => {
    if (typeof value === "string") return value;
    try {
      return JSON.stringify(value) ?? textOf(value);
    } catch {
      return textOf(value);
    }
  };
  report({ what: "log", text: values.map(text).join(" ") });
}

// Run

const PARAMETERS = ["url", "log", "until", "done", "WebSocket"];
let takeLine;  // while it is asked in which line a script cannot be read

async function run(script) {
  const AsyncFunction = (async () => {}).constructor;
  let body;
  try {
    body = new AsyncFunction(...PARAMETERS, script);
    await body(url, log, until, done, ReportingWebSocket);
  } catch (error) {
    reportUncaught(error, body ? undefined : await lineThatCannotBeRead(script));
    hasFailed = true;
    doneIfNothingIsLeft();
  }
}

// Only an error event tells where a script cannot be read, and a text that a timer reads makes one.
function lineThatCannotBeRead(script) {
  return new Promise((resolve) => {
    takeLine = resolve;
    setTimeout(`async (${PARAMETERS}) => {\n${script}\n}`);
    setTimeout(() => resolve(takeLine = undefined));
  });
}

async function begin() {
  at("status").textContent = "Fetching the script";
  if (!ticket) {
    at("status").textContent = "No script";
    advise("This page runs the scripts of a notebook, each once: run the cell with the script again to get a page for it.");
    return;
  }
  const claimed = await post("claim", { "Wslab-Ticket": ticket, "Wslab-Token": token }, {});
  if (claimed === null) return;
  const way = base !== "/" ? "proxied" : location.port === String(claimed.port) ? "direct" : "forwarded";
  at("name").textContent = claimed.name;
  at("script").textContent = claimed.script;
  at("status").textContent = "Running";
  at("who").open = way !== "direct";
  showHops(WAYS[way]);
  showHandshake();
  run(claimed.script);
}

new ResizeObserver(askForHeight).observe(document.body);
window.addEventListener("error", (event) => {
  if (takeLine) takeLine(event.lineno - 1);
  else reportUncaught(event.error ?? event);
});
window.addEventListener("unhandledrejection", (event) => reportUncaught(event.reason));
begin();
