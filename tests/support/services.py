"""Services for probes to ask, on one backend of the lab: HTTPS on 8443, UDP on 5300, gRPC's health service on 50051 over
TLS and on 50052 without. All are other people's implementations.

usage: services.py CERTIFICATE KEY      prints "ready", and serves until it is ended
"""

import http.server
import socketserver
import ssl
import sys
import threading
from concurrent import futures

import grpc

SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"all is well\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Pong(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        if data == b"ping":
            socket.sendto(b"pong", self.client_address)


class Health(grpc.GenericRpcHandler):
    def service(self, handler_call_details):
        if handler_call_details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: SERVING)
        return None


def main() -> None:
    certificate, key = sys.argv[1:]
    pages = http.server.ThreadingHTTPServer(("0.0.0.0", 8443), Page)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    pages.socket = tls.wrap_socket(pages.socket, server_side=True, do_handshake_on_connect=False)
    datagrams = socketserver.ThreadingUDPServer(("0.0.0.0", 5300), Pong)
    for server in (pages, datagrams):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    calls = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Health()])
    with open(certificate, "rb") as public, open(key, "rb") as private:
        identity = grpc.ssl_server_credentials([(private.read(), public.read())])
    calls.add_secure_port("0.0.0.0:50051", identity)
    calls.add_insecure_port("0.0.0.0:50052")
    calls.start()
    print("ready", flush=True)
    calls.wait_for_termination()


if __name__ == "__main__":
    main()
