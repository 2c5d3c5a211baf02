"""The server extension of make lab, on the server's own classes."""

import asyncio
import logging
from types import SimpleNamespace

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.web import Application, RequestHandler

from multilora.explore import nodelay


def load(*handlers):
    web_app = Application([(f"/{n}", h) for n, h in enumerate(handlers)])
    app = SimpleNamespace(web_app=web_app, log=logging.getLogger("server"))
    nodelay._load_jupyter_server_extension(app)
    rules = web_app.wildcard_router.rules
    return [rule.target for rule in rules][: len(handlers)]


def test_kernel_messages_go_through_the_prompt_handler():
    targets = load(RequestHandler, KernelWebsocketHandler)
    assert targets == [RequestHandler, nodelay.PromptHandler]


def test_a_server_without_that_route_is_told_so(caplog):
    assert load(RequestHandler) == [RequestHandler]
    assert "no kernel websocket route" in caplog.text


def test_a_browser_that_is_gone_again_is_no_error(monkeypatch):
    async def opened(self, *args):
        pass

    monkeypatch.setattr(KernelWebsocketHandler, "open", opened)
    said = []
    handler = nodelay.PromptHandler.__new__(nodelay.PromptHandler)
    handler.ws_connection = None
    asyncio.run(handler.open("id"))
    handler.ws_connection = SimpleNamespace(set_nodelay=said.append)
    asyncio.run(handler.open("id"))
    assert said == [True]
