// The page of a class: join it, send to all others, see who is here and what passes.

const MAX_ROWS = 300;
const MAX_MARKS = 5000;
const SLOWEST = 20000;  // milliseconds between two tries to connect again
const WORDS = { joined: "joined", left: "left" };

let socket = null;
let wanted = "";  // the name with which to join
let token = "";
let tries = 0;
const people = new Map();  // by name: how many connections they have
const marks = new Map();  // by name and exercise: the row of the table

// A token lets a student come back as the same one. The teacher's comes behind #, and leaves the address at once.
const inAddress = new URLSearchParams(location.hash.slice(1)).get("teacher");
if (inAddress) {
  sessionStorage.setItem("token", inAddress);
  history.replaceState(null, "", location.pathname);
}
token = sessionStorage.getItem("token") ?? localStorage.getItem("token") ?? "";
at("name").value = localStorage.getItem("name") ?? "";

function address(fields) {
  const url = new URL(".", location);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  url.search = new URLSearchParams(fields);
  return url.href;
}

// Connect, and again if the connection is lost

function join() {
  socket?.close();
  const mine = socket = new WebSocket(address({ name: wanted, token }), ["class.wslab"]);
  showState("connecting");
  mine.addEventListener("message", ({ data }) => mine === socket && show(JSON.parse(data)));
  mine.addEventListener("close", ({ code, reason }) => {
    if (mine !== socket) return;
    showState("not connected");
    if (code === 1008) {
      advise(`The class has closed the connection: ${reason}. Press Join to come back.`);
      return;
    }
    const wait = Math.random() * Math.min(SLOWEST, 500 * 2 ** tries++);
    advise(`The class cannot be reached${reason ? ` (${reason})` : ""}. This page tries again by itself.`);
    setTimeout(() => mine === socket && join(), wait);
  });
}

function showState(words) {
  at("badge").textContent = words;
  at("badge").className = words === "connected" ? "OPEN" : "CLOSED";
  at("sending").hidden = words !== "connected";
}

function advise(sentence) {
  at("advice").textContent = sentence;
}

// What the class says

function show(event) {
  if (event.kind === "welcome") welcome(event);
  else if (event.kind === "refused") advise(event.why);
  else if (event.kind === "mark") showMark(event);
  else {
    count(event);
    showEvent(event);
  }
}

function welcome({ name, token: given, teacher, people: present, events, marks: kept }) {
  tries = 0;
  token = given;
  (teacher ? sessionStorage : localStorage).setItem("token", token);
  sessionStorage.setItem("joined", "yes");
  advise("");
  showState("connected");
  at("who").textContent = name;
  at("code").textContent = `me = "${address({ token })}"\nwslab.connect(me)\nwslab.hand_in(me, report)`;
  at("mine").hidden = teacher;
  at("joining").hidden = true;
  document.body.className = "joined";
  if (teacher) at("fold").open = false;  // it may be on the wall
  for (const list of ["names", "log", "rows"]) at(list).replaceChildren();
  people.clear();
  marks.clear();
  present.forEach(count);
  events.forEach(showEvent);
  kept.forEach(showMark);
  at("marks").hidden = !teacher && !kept.length;
}

function count({ name, clients, messages }) {
  let entry = people.get(name);
  if (!clients) {
    entry?.remove();
    people.delete(name);
  } else {
    if (!entry) people.set(name, entry = add(at("names"), "li", ""));
    entry.replaceChildren();
    add(entry, "bdi", name);
    add(entry, "span", `${messages} sent${clients > 1 ? `, ${clients} connections` : ""}`, "quiet");
  }
  at("count").textContent = people.size;
}

function showEvent({ kind, name, text, size }) {
  if (kind === "clients") return;
  const log = at("log");
  followEnd(log);
  const row = add(log, "p", "");
  add(row, "bdi", name).classList.add("name");
  if (kind in WORDS) add(row, "span", WORDS[kind], "quiet");
  else {
    add(row, "bdi", readable(text));
    add(row, "span", `${kind}, ${size} byte${size === 1 ? "" : "s"}`, "quiet");
  }
  while (log.childElementCount > MAX_ROWS) log.firstElementChild.remove();
}

function showMark({ name, exercise, points, max_points: most, tries: count }) {
  const key = JSON.stringify([name, exercise]);
  if (!marks.has(key) && marks.size >= MAX_MARKS) return;
  const row = marks.get(key) ?? at("rows").appendChild(document.createElement("tr"));
  marks.set(key, row);
  row.replaceChildren();
  for (const cell of [name, exercise, `${points} of ${most}`, count]) add(row, "td", cell);
  at("marks").hidden = false;
}

// What the buttons do

function onSubmit(id, act) {
  at(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

onSubmit("joining", () => {
  wanted = at("name").value.trim();
  if (wanted !== localStorage.getItem("name")) token = "";  // somebody else, at the same computer
  localStorage.setItem("name", wanted);
  join();
});
onSubmit("sending", () => {
  if (!at("message").value) return;
  advise("");
  socket.send(JSON.stringify({ say: at("message").value }));
  at("message").value = "";
  at("message").focus();
});
at("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(at("code").textContent);
    advise("");
  } catch {  // only pages that came by https, or from this computer, may
    getSelection().selectAllChildren(at("code"));
    advise("This browser does not let the page copy: press Ctrl+C, the lines are selected.");
  }
});
if (inAddress || sessionStorage.getItem("joined")) {  // this page was loaded anew
  wanted = at("name").value;
  join();
}
