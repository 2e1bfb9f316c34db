// The log of the page: a row for each call and event, which can be folded, seen as text, JSON or hex, and found.

const MAX_ROWS = 500, MAX_CHARACTERS = 10000, MAX_BYTES = 1000, FOLDED_FROM = 400;

let beginning = performance.now();  // of the life of a WebSocket: the log counts seconds from here
let dropped = 0;
const ENTRIES = new Map();  // what each row was made of; a HAR is made of them

function shorten(text, isCut = text.length > MAX_CHARACTERS) {
  const start = text.slice(0, MAX_CHARACTERS);
  return isCut ? `${readable(start.replace(/[\ud800-\udbff]$/, ""))} …` : readable(start);  // no half of a character
}

function addRow(entry, className = "") {
  const log = at("log");
  followEnd(log);
  const row = add(log, "p", "");
  add(row, "span", ((entry.time - beginning) / 1000).toFixed(3), "quiet");
  add(row, "b", entry.what, className);
  for (const [name, value] of Object.entries(entry.fields)) {
    const field = add(row, "span", "");
    add(field, "span", name, "quiet");
    add(field, "bdi", shorten(String(value)), name === "data" ? "data" : "");
  }
  ENTRIES.set(row, entry);
  while (log.children.length > MAX_ROWS) dropRow(log.firstElementChild);
  hideUnless(row, at("find").value);
  return row;
}

function dropRow(row) {
  ENTRIES.delete(row);
  row.remove();
  dropped += 1;
  at("dropped").textContent = `${dropped} earlier row${dropped > 1 ? "s are" : " is"} no longer here.`;
}

function clearLog() {
  at("log").replaceChildren();
  at("dropped").textContent = "";
  ENTRIES.clear();
  dropped = 0;
}

function sizeOf(data) {
  return typeof data === "string" ? new TextEncoder().encode(data).length : data.size ?? data.byteLength;
}

function hexOf(bytes) {
  return (toHex(bytes.subarray(0, MAX_BYTES)) || '""') + (bytes.length > MAX_BYTES ? " …" : "");
}

function textOf(bytes) {
  const isCut = bytes.length > MAX_BYTES;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return shorten(decoder.decode(bytes.subarray(0, MAX_BYTES), { stream: isCut }), isCut);
}

// Messages: the first of the views is shown, and a button leads to the next

async function addMessage(entry) {
  const { data } = entry, isText = typeof data === "string";
  const size = sizeOf(data);
  const fields = { data: isText ? data : "…", [isText ? "text" : data.constructor.name]: howMany(size, "byte") };
  const row = addRow({ ...entry, fields: { ...fields, ...entry.fields } });
  const shown = row.querySelector(".data");
  if (isText) {
    offerViews(row, shown, viewsOfText(data));
  } else {
    const start = new Uint8Array(await new Blob([data.slice(0, MAX_BYTES + 1)]).arrayBuffer());
    followEnd(at("log"));
    offerViews(row, shown, { hex: hexOf(start), text: textOf(start) });
    hideUnless(row, at("find").value);
  }
}

function viewsOfText(text) {
  const hex = hexOf(new TextEncoder().encode(text.slice(0, MAX_BYTES + 1)));
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value) {
      return { text: shorten(text), JSON: shorten(layOut(text)), hex };
    }
  } catch { /* most texts are not JSON */ }
  return { text: shorten(text), hex };
}

// JSON with a line for each value, and its numbers and names as they were sent: a value of JavaScript has rounded them.
function layOut(json) {
  let text = "", depth = 0;
  const add = (token) => { text += `${token}\n${"  ".repeat(depth)}`; };
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|\[\s*\]|\{\s*\}|[^\s"[\]{},:]+|[[\]{},:]/g)) {
    if (token === "[" || token === "{") {
      depth += 1;
      add(token);
    } else if (token === "]" || token === "}") {
      depth -= 1;
      add("");
      text += token;
    } else if (token === ",") {
      add(token);
    } else {
      text += token === ":" ? ": " : token;
    }
    if (text.length > MAX_CHARACTERS) break;
  }
  return text;
}

function offerViews(row, shown, views) {
  const names = Object.keys(views);
  let current = 0;
  const fold = add(row, "button", "show all");
  fold.addEventListener("click", () => {
    fold.textContent = shown.classList.toggle("folded") ? "show all" : "fold";
  });
  const view = add(row, "button", "");
  const show = () => {
    const text = views[names[current]], isLong = text.length > FOLDED_FROM || text.split("\n").length > 5;
    shown.textContent = text;
    shown.classList.toggle("folded", isLong);
    fold.hidden = !isLong;
    fold.textContent = "show all";
    view.textContent = `as ${names[(current + 1) % names.length]}`;
  };
  view.addEventListener("click", () => {
    current = (current + 1) % names.length;
    show();
  });
  show();
}

// Find, copy

// Words are found in what a row shows, and in all of a text that is too long to be shown.
function hideUnless(row, words) {
  const texts = [textOfRow(row), ENTRIES.get(row)?.data].filter((text) => typeof text === "string");
  row.hidden = !texts.some((text) => text.toLowerCase().includes(words.toLowerCase()));
}

function textOfRow(row) {
  return Array.from(row.querySelectorAll(":scope > :not(button)"), (part) => part.textContent.trim()).join(" ");
}

function textOfLog() {
  const rows = Array.from(at("log").children).filter((row) => !row.hidden);
  return [at("dropped").textContent, ...rows.map(textOfRow)].filter(Boolean).map((line) => `${line}\n`).join("");
}

at("find").addEventListener("input", () => {
  for (const row of at("log").children) hideUnless(row, at("find").value);
});
at("clear").addEventListener("click", clearLog);
