// The npm package ws as a client or a server that peers.py drives: a line of JSON in for each call, one out for its result.
"use strict";
const { WebSocket, WebSocketServer } = require("ws");

const FRAGMENTS = ["one ", "two ", "three"];
const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

function options(deflate) {
  if (!deflate) return false;
  const stated = Object.entries(deflate).map(([name, value]) => [camelCase(name), value]);
  return { threshold: 0, ...Object.fromEntries(stated) };
}

class Queue {
  items = [];
  waiting = [];
  put(item) {
    const resolve = this.waiting.shift();
    if (resolve) resolve(item);
    else this.items.push(item);
  }
  get() {
    return this.items.length ? this.items.shift() : new Promise((resolve) => this.waiting.push(resolve));
  }
}

let client, received, pongs; // the client, and what it got
let server, closes; // the server, and the close frames that it got

const calls = {
  connect({ url, subprotocols, deflate }) {
    const messages = (received = new Queue());
    pongs = new Queue();
    client = new WebSocket(url, subprotocols, { perMessageDeflate: options(deflate) });
    client.on("message", (data, binary) =>
      messages.put(binary ? { binary: data.toString("base64") } : { text: data.toString() }));
    client.on("pong", (payload) => pongs.put({ pong: payload.toString() }));
    client.on("close", (code, reason) => messages.put({ close: [code, reason.toString()] }));
    return new Promise((resolve, reject) => {
      client.on("open", () => resolve({ subprotocol: client.protocol }));
      client.on("error", reject);
      client.on("unexpected-response", (request, response) => {
        let body = "";
        response.on("data", (data) => (body += data));
        response.on("end", () => resolve({ status: response.statusCode, body }));
        response.on("end", () => client.terminate());
      });
    });
  },
  send({ fragments }) {
    fragments.forEach(({ text, binary }, index) => {
      const data = text === undefined ? Buffer.from(binary, "base64") : text;
      client.send(data, { fin: index === fragments.length - 1, binary: text === undefined });
    });
    return {};
  },
  receive: () => received.get(),
  ping({ payload }) {
    client.ping(payload);
    return pongs.get();
  },
  close({ code, reason }) {
    client.close(code, reason);
    return {};
  },
  async end() {
    if (client.readyState !== WebSocket.CLOSED) {
      client.terminate();
      while (!("close" in (await received.get())));
    }
    return {};
  },

  serve({ deflate }) {
    const closed = (closes = new Queue());
    server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      perMessageDeflate: options(deflate),
      handleProtocols: (offered) => offered.has("chat") && "chat",
      verifyClient: ({ req }, answer) => answer(!req.url.endsWith("refused"), 403, "Not today.\n"),
    });
    server.on("connection", (socket) => {
      socket.on("close", (code, reason) => closed.put({ close: [code, reason.toString()] }));
      socket.on("message", (data, binary) => {
        const text = binary ? null : data.toString();
        if (text === "send fragments")
          FRAGMENTS.forEach((fragment, index) => socket.send(fragment, { fin: index === FRAGMENTS.length - 1 }));
        else if (text === "send a ping") {
          socket.once("pong", () => socket.send("a pong came"));
          socket.ping("are you there?");
        } else if (text === "send a close frame") socket.close(4001, "enough for today");
        else socket.send(data, { binary });
      });
    });
    return new Promise((resolve) => server.on("listening", () => resolve({ port: server.address().port })));
  },
  closed: () => closes.get(),
  stop() {
    server.clients.forEach((socket) => socket.terminate());
    return new Promise((resolve) => server.close(() => resolve({})));
  },
};

async function answer(line) {
  const { call, ...rest } = JSON.parse(line);
  const result = await Promise.resolve().then(() => calls[call](rest)).catch((error) => ({ error: String(error) }));
  process.stdout.write(JSON.stringify(result) + "\n");
}

require("readline").createInterface({ input: process.stdin }).on("line", answer).on("close", () => process.exit());
