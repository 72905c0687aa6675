"""A package index of tiny wheels with the engine's names, on disk or behind a real HTTP server on this machine."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path

import pytest

from tests.support.packages import BULK, make_index


def at(root: Path, url: str = "") -> tuple[str, ...]:
    """The options for downloading everything from an index, checked against its own lock."""
    return ("--index", url or root.as_uri(), "--lock", str(root / "lock.txt"))


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Path:
    return make_index(tmp_path_factory.mktemp("index") / "simple")


@pytest.fixture
def server(index):
    """The same index over HTTP; `seconds`: the download time of the torch wheel."""
    served = SlowServer(index)
    yield served
    served.stop()


class SlowServer:
    def __init__(self, root: Path) -> None:
        self.seconds = 0.0
        self.root = root
        self.began = threading.Event()  # the download of torch has started
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments, **keywords):
                super().__init__(*arguments, directory=str(root), **keywords)

            def copyfile(self, source, outputfile):
                data = source.read()
                if len(data) < BULK or not outer.seconds:
                    outputfile.write(data)
                    return
                for start in range(0, len(data), 2**16):
                    outputfile.write(data[start : start + 2**16])
                    outer.began.set()
                    time.sleep(outer.seconds * 2**16 / len(data))

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # the client was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def target(tmp_path) -> Path:
    """A folder name as users have them."""
    return tmp_path / "Umgebung mit Leerzeichen 環境 'q'" / "engine"
