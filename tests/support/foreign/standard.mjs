// The WebSocket of a JavaScript runtime, as a client of an echo server; the servers of Bun and Deno as one.
// README.md beside this file says what is asked of it.
import process from "node:process";
import { Buffer } from "node:buffer";
import { createInterface } from "node:readline";

const echo = (socket) => {
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => socket.send(data);
};

function serve() {
    if (globalThis.Bun) {
        const compress = true; // Bun does so only for messages of which it is told to
        const websocket = { perMessageDeflate: true, message: (socket, data) => void socket.send(data, compress) };
        const fetch = (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 400 }));
        console.log(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch, websocket }).port);
    } else {
        const onListen = ({ port }) => console.log(port);
        Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, (request) => {
            const { socket, response } = Deno.upgradeWebSocket(request);
            echo(socket);
            return response;
        });
    }
}

async function talk(host, port) {
    const socket = new WebSocket(`ws://${host}:${port}/`);
    socket.binaryType = "arraybuffer";
    const next = (name) => new Promise((resolve) => socket.addEventListener(name, resolve, { once: true }));
    await next("open");
    for await (const line of createInterface({ input: process.stdin })) {
        const [kind, hex] = line.split(" ");
        const message = Buffer.from(hex, "hex");
        const answer = next("message");
        socket.send(kind === "text" ? message.toString() : message);
        const { data } = await answer;
        console.log(typeof data === "string" ? "text" : "binary", Buffer.from(data).toString("hex"));
    }
    const closed = next("close");
    socket.close(4000, "bye");
    console.log("close", (await closed).code);
    process.exit(0);
}

const [what, host, port] = process.argv.slice(2);
if (what === "server") serve();
else await talk(host, port);
