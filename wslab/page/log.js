// The log of the page: a row for each call and event, which can be folded, seen as text, JSON or hex, and found.

const MAX_ROWS = 500, MAX_CHARACTERS = 10000, MAX_BYTES = 1000, FOLDED_FROM = 400;

let beginning = performance.now();  // of the life of a WebSocket: the log counts seconds from here
let dropped = 0;
const ENTRIES = new Map();  // what each row was made of; a HAR is made of them

function shorten(text) {
  return readable(text.slice(0, MAX_CHARACTERS)) + (text.length > MAX_CHARACTERS ? " …" : "");
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

function hexOf(bytes, isCut) {
  return (toHex(bytes) || '""') + (isCut ? " …" : "");
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
    const start = await new Blob([data.slice(0, MAX_BYTES)]).arrayBuffer();
    const hex = hexOf(new Uint8Array(start), size > MAX_BYTES);
    followEnd(at("log"));
    shown.textContent = hex;
    offerViews(row, shown, { hex, text: shorten(new TextDecoder().decode(start)) });
  }
}

function viewsOfText(text) {
  const bytes = new TextEncoder().encode(text.slice(0, MAX_BYTES));
  const hex = hexOf(bytes, text.length > MAX_BYTES);
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value) {
      return { text: shorten(text), JSON: shorten(JSON.stringify(value, null, 2)), hex };
    }
  } catch { /* most texts are not JSON */ }
  return { text: shorten(text), hex };
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

function hideUnless(row, words) {
  row.hidden = !row.textContent.toLowerCase().includes(words.toLowerCase());
}

function textOfLog() {
  const rows = Array.from(at("log").children).filter((row) => !row.hidden);
  const ofRow = (row) => Array.from(row.querySelectorAll(":scope > :not(button)"), (part) => part.textContent.trim());
  return rows.map((row) => ofRow(row).join(" ") + "\n").join("");
}

at("find").addEventListener("input", () => {
  for (const row of at("log").children) hideUnless(row, at("find").value);
});
at("clear").addEventListener("click", clearLog);
