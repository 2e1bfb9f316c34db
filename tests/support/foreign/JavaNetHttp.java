// java.net.http as a client of an echo server (it has no server); README.md beside this file says what is asked of it.
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;

public class JavaNetHttp {
    static final HexFormat HEX = HexFormat.of();
    static final LinkedBlockingQueue<String> received = new LinkedBlockingQueue<>();

    static class Listener implements WebSocket.Listener {
        final StringBuilder text = new StringBuilder();
        final ByteArrayOutputStream octets = new ByteArrayOutputStream();

        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                received.add("text " + HEX.formatHex(text.toString().getBytes(StandardCharsets.UTF_8)));
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
            while (part.hasRemaining()) {
                octets.write(part.get());
            }
            if (last) {
                received.add("binary " + HEX.formatHex(octets.toByteArray()));
                octets.reset();
            }
            socket.request(1);
            return null;
        }

        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            received.add("close " + code);
            return null;
        }

        public void onError(WebSocket socket, Throwable error) {
            received.add("error " + error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        URI address = URI.create("ws://" + arguments[1] + ":" + arguments[2] + "/");
        WebSocket socket = HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(address, new Listener()).join();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            int blank = line.indexOf(' ');
            byte[] message = HEX.parseHex(line.substring(blank + 1));
            if (line.startsWith("text")) {
                socket.sendText(new String(message, StandardCharsets.UTF_8), true).join();
            } else {
                socket.sendBinary(ByteBuffer.wrap(message), true).join();
            }
            System.out.println(received.take());
        }
        socket.sendClose(4000, "bye").join();
        System.out.println(received.take());
        System.exit(0);
    }
}
