"""Serve the site: uvicorn in this process, background workers as its children."""

import contextlib
import logging
import socket
import threading
import time

import typer
import uvicorn

from api.app import create_app
from api.ground import prepare
from api.settings import settings
from api.worker import end_worker_process, start_worker_process
from grid.errors import DomainError

LOG = logging.getLogger(__name__)


class PortTaken(DomainError):
    """Another program listens there already."""

    zh = "端口 {port} 已被占用。可能已有一个 ./xunge serve 在运行；换一个端口：./xunge serve --port {other}。"
    en = "Port {port} is taken, perhaps by another ./xunge serve. Use another: ./xunge serve --port {other}."


class _Announcing(uvicorn.Server):
    """A server that says so once it takes requests, not before."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        typer.echo(f"巡格已启动：http://{self.config.host}:{self.config.port}  （Ctrl-C 停止）")


def serve_site(*, host: str | None = None, port: int | None = None, workers: int = 1) -> None:
    """Serve until interrupted. The workers end with this process, and are restarted if they fall."""
    chosen = settings()
    host, port = host or chosen.host, port or chosen.port
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(port=port, other=port + 1) from error
    prepare(chosen)
    ending = threading.Event()
    keepers = [threading.Thread(target=_keep_worker, args=(ending,)) for _ in range(workers)]
    # The children are started by threads that live as long as they do: PR_SET_PDEATHSIG fires
    # when the starting thread ends, not only when the process does.
    for keeper in keepers:
        keeper.start()
    try:
        config = uvicorn.Config(
            create_app(chosen), host=host, port=port, log_level="warning", proxy_headers=False
        )
        _Announcing(config).run()
    finally:
        ending.set()
        for keeper in keepers:
            keeper.join(timeout=10)


def _keep_worker(ending: threading.Event) -> None:
    """Keep one worker process alive until the site ends."""
    while not ending.is_set():
        started = time.monotonic()
        child = start_worker_process()
        while child.poll() is None and not ending.wait(0.3):
            pass
        if ending.is_set():
            end_worker_process(child)
            return
        LOG.error("the worker ended with status %s and is started again", child.returncode)
        # A worker that cannot start must not be started a hundred times a second.
        ending.wait(max(0.5, 5 - (time.monotonic() - started)))
