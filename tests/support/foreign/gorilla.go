// gorilla/websocket as a client of an echo server, and as one; README.md beside this file says what is asked of it.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

var kinds = map[string]int{"text": websocket.TextMessage, "binary": websocket.BinaryMessage}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func echo(response http.ResponseWriter, request *http.Request) {
	upgrader := websocket.Upgrader{EnableCompression: true}
	connection, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer connection.Close()
	for {
		kind, message, err := connection.ReadMessage()
		if err != nil {
			return
		}
		check(connection.WriteMessage(kind, message))
	}
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	check(http.Serve(listener, http.HandlerFunc(echo)))
}

func talk(host, port string) {
	dialer := websocket.Dialer{EnableCompression: true}
	connection, _, err := dialer.Dial("ws://"+net.JoinHostPort(host, port)+"/", nil)
	check(err)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		kind, digits, _ := strings.Cut(lines.Text(), " ")
		message, err := hex.DecodeString(digits)
		check(err)
		check(connection.WriteMessage(kinds[kind], message))
		received, answer, err := connection.ReadMessage()
		check(err)
		for name, number := range kinds {
			if number == received {
				fmt.Println(name, hex.EncodeToString(answer))
			}
		}
	}
	bye := websocket.FormatCloseMessage(4000, "bye")
	check(connection.WriteControl(websocket.CloseMessage, bye, time.Now().Add(5*time.Second)))
	_, _, err = connection.ReadMessage()
	fmt.Println("close", err.(*websocket.CloseError).Code)
}

func main() {
	if os.Args[1] == "server" {
		serve()
	}
	talk(os.Args[2], os.Args[3])
}
