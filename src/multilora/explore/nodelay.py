"""A server extension: kernel messages leave JupyterLab's server at once.

The server leaves Nagle's algorithm on for the kernel's websocket, so the
second of two small messages waits for the browser's delayed acknowledgement:
a slider whose key is held answers up to 35 ms late. Measured by
tools/slider_speed.py; `make lab` switches this on.
"""

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler


class PromptHandler(KernelWebsocketHandler):
    """The server's own handler, with TCP_NODELAY."""

    async def open(self, *args, **kwargs):
        await super().open(*args, **kwargs)
        if self.ws_connection is not None:  # the browser is still there
            self.set_nodelay(True)


def _jupyter_server_extension_points():
    return [{"module": "multilora.explore.nodelay"}]


def _load_jupyter_server_extension(app):
    """Route kernel websockets of this server to the prompt handler."""
    for rule in app.web_app.wildcard_router.rules:
        if getattr(rule, "target", None) is KernelWebsocketHandler:
            rule.target = PromptHandler
            return
    app.log.warning(
        "multilora.explore.nodelay: no kernel websocket route here; "
        "held sliders answer up to 35 ms late"
    )
