"""A single-user server that starts at once, as `python -c` takes it."""

# It leaves its number in a file of its home. It ends with status 0 at SIGTERM, and otherwise as it is told.
SMALL_SERVER = """
import http.server, os, pathlib, signal, sys
from urllib.parse import urlsplit
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    log_message = lambda *_: None
pathlib.Path("pid").write_text(str(os.getpid()))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
at = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.HTTPServer((at.hostname, at.port), Answer).serve_forever()
"""
