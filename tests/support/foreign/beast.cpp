// Boost.Beast as a client of an echo server, and as one; README.md beside this file says what is asked of it.
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdio>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Stream = websocket::stream<asio::ip::tcp::socket>;

static std::string from_hex(const std::string& hex) {
    std::string data;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) data += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return data;
}

static std::string to_hex(const std::string& data) {
    static const char digits[] = "0123456789abcdef";
    std::string hex;
    for (unsigned char octet : data) hex += {digits[octet >> 4], digits[octet & 15]};
    return hex;
}

static void compress(Stream& stream) {
    websocket::permessage_deflate wish;
    wish.client_enable = wish.server_enable = true;
    stream.set_option(wish);
}

static void serve() {
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
    std::cout << acceptor.local_endpoint().port() << std::endl;
    for (;;) {
        Stream stream(acceptor.accept());
        compress(stream);
        beast::error_code error;
        stream.accept(error);
        beast::flat_buffer buffer;
        while (!error && stream.read(buffer, error), !error) {
            stream.text(stream.got_text());
            stream.write(buffer.data(), error);
            buffer.clear();
        }
    }
}

static void talk(const std::string& host, const std::string& port) {
    asio::io_context context;
    Stream stream(context);
    asio::connect(stream.next_layer(), asio::ip::tcp::resolver(context).resolve(host, port));
    compress(stream);
    stream.handshake(host + ":" + port, "/");
    std::string kind, hex, line;
    while (std::getline(std::cin, line)) {
        const auto blank = line.find(' ');
        stream.text(line.substr(0, blank) == "text");
        stream.write(asio::buffer(from_hex(line.substr(blank + 1))));
        beast::flat_buffer buffer;
        stream.read(buffer);
        std::cout << (stream.got_text() ? "text " : "binary ") << to_hex(beast::buffers_to_string(buffer.data())) << std::endl;
    }
    stream.close({websocket::close_code(4000), "bye"});
    std::cout << "close " << stream.reason().code << std::endl;
}

int main(int argc, char** argv) {
    if (argc == 2) serve();
    if (argc == 4) talk(argv[2], argv[3]);
}
