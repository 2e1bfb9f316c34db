// What both pages share. All that comes from a script or a peer becomes text, never HTML.

const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];

const at = (id) => document.getElementById(id);

function add(parent, name, text, className = "") {
  parent.append(" ");
  const element = parent.appendChild(document.createElement(name));
  element.className = className;
  element.textContent = text;
  return element;
}

// Control characters as the symbols that Unicode has for them; nothing at all as "".
function readable(text) {
  const symbol = (control) => String.fromCharCode(control === "\x7f" ? 0x2421 : 0x2400 + control.charCodeAt(0));
  return text.replace(/[\0-\x08\x0b-\x1f\x7f]/g, symbol) || '""';
}

const howMany = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function isAtEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 30;
}

const FOLLOWED = new Set();  // logs that go to their end with the next picture

// Call it before a row is added. To measure a log is slow, so only the first row of each picture does.
function followEnd(log) {
  if (FOLLOWED.has(log)) return;
  const wasAtEnd = isAtEnd(log);
  FOLLOWED.add(log);
  requestAnimationFrame(() => {
    FOLLOWED.delete(log);
    if (wasAtEnd) log.scrollTop = log.scrollHeight;
  });
}
