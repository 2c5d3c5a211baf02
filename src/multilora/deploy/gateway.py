"""nginx before the engines: each tenant goes where the plan put them."""

from collections.abc import Sequence
from typing import NamedTuple

from multilora.arguments import integer, names
from multilora.deploy.homes import (
    HEADER,
    backups_by_tenant,
    engines_by_tenant,
    header_value,
    local_addresses,
)
from multilora.deploy.quoting import comment, counted
from multilora.deploy.serve_args import FIRST_PORT
from multilora.plan.answer import Plan

MAX_NAME = 1000  # bytes of a header's value that every hop takes
_BODY = 32  # MiB of a request that the gateway takes
_CONNECT_S = 2  # a host that is gone does not refuse: the gateway must give up
_MISSING = "Send the adapter, percent-encoded, in the header X-Session-ID.\\n"
_UNKNOWN = "No engine serves the adapter in the header X-Session-ID.\\n"


class Route(NamedTuple):
    """The engines that serve a tenant, and those that take them over."""

    homes: tuple[int, ...]
    backups: tuple[int, ...]


def gateway_conf(
    plan: Plan,
    addresses: Sequence[str] | None = None,
    port: int = FIRST_PORT,
) -> str:
    """Return a whole nginx.conf that sends each tenant to its engine.

    addresses are host:port of the engines, None for local_addresses(plan).
    A tenant of several engines is served by them in turn; so is who names
    the base itself. A tenant's backups serve them while none of their own
    engines answers.
    Source: nginx, ngx_http_map_module and ngx_http_upstream_module; a test
    sends requests through it.
    Raises ValueError for another number of addresses than engines, TypeError
    for no Plan.
    """
    found = engines_by_tenant(plan)
    if addresses is None:
        addresses = local_addresses(plan)
    addresses = names("addresses", addresses)
    port = integer("port", port, 1, 65535)
    if len(addresses) != len(plan.engines):
        raise ValueError(
            f"addresses holds {len(addresses)}, but must hold one for each "
            f"of {len(plan.engines)} engines"
        )
    backups = backups_by_tenant(plan)
    routes = {
        header_value(name): Route(numbers, backups.get(name, ()))
        for name, numbers in found.items()
        if len(header_value(name)) <= MAX_NAME
    }
    left_out = len(found) - len(routes)
    every = tuple(range(1, len(plan.engines) + 1))
    if len(header_value(plan.model)) <= MAX_NAME:
        routes.setdefault(header_value(plan.model), Route(every, ()))
    about = _ABOUT + _about_left_out(left_out)
    about += _ABOUT_BACKUPS if backups else ""
    return about + _conf(routes, addresses, port)


def _about_left_out(num_names: int) -> str:
    if not num_names:
        return ""
    verb = "is" if num_names == 1 else "are"
    return "#\n" + comment([
        f"{counted(num_names, 'tenant')} {verb} missing: a name of more than "
        f"{MAX_NAME} bytes is too long for a header. Such requests go "
        "straight to their engine."
    ])  # fmt: skip


def _conf(routes: dict[str, Route], addresses: list[str], port: int) -> str:
    upstreams = {
        route: _upstream_name(route, place)
        for place, route in enumerate(sorted(set(routes.values())), 1)
    }
    servers = [
        f"  upstream {name} {{\n"
        + "".join(f"    server {addresses[one - 1]};\n" for one in route.homes)
        + "".join(f"    server {addresses[one - 1]} backup;\n"
                  for one in route.backups)
        + "  }\n"
        for route, name in upstreams.items()
    ]  # fmt: skip
    lines = "".join(
        f'    "{_exactly(value)}" {upstreams[route]};\n'
        for value, route in routes.items()
    )
    return _CONF.format(
        upstreams="".join(servers), lines=lines, port=port, body=_BODY,
        missing=_MISSING, unknown=_UNKNOWN, connect_s=_CONNECT_S,
    )  # fmt: skip


def _upstream_name(route: Route, place: int) -> str:
    if len(route.homes) > 1:
        return f"group_{place}"
    after = "".join(f"_then_{number}" for number in route.backups)
    return f"engine_{route.homes[0]}{after}"


def _exactly(value: str) -> str:
    """A pattern, for nginx takes a plain key in any case of its letters."""
    return "~^" + value.replace(".", "[.]") + "$"


_ABOUT = comment([
    "nginx sends each tenant to the engine that the plan gave them. Clients "
    f"name the tenant in a header beside the model: {HEADER}, percent-encoded "
    "(tenants.csv has each value). nginx does not read the model in the body; "
    "an engine answers 404 to an adapter that it does not know.",
        "Who asks the base itself names it in the header; all engines serve "
        "them in turn.",
])  # fmt: skip
_ABOUT_BACKUPS = "#\n" + comment([
    "While an engine does not answer, its tenants' requests go to the backups "
    "that the plan chose; after ten seconds nginx tries the engine again. A "
    "request that an engine had begun when it was lost ends with an error: "
    "the client must send it again.",
])  # fmt: skip
_CONF = """\

worker_processes auto;
pid /tmp/multilora-gateway.pid;
error_log stderr;
events {{ worker_connections 4096; }}

http {{
  access_log off;
  client_body_temp_path /tmp/multilora-gateway-body;
  proxy_temp_path /tmp/multilora-gateway-proxy;
  fastcgi_temp_path /tmp/multilora-gateway-fastcgi;
  uwsgi_temp_path /tmp/multilora-gateway-uwsgi;
  scgi_temp_path /tmp/multilora-gateway-scgi;
  client_max_body_size {body}m;

{upstreams}
  map $http_x_session_id $engine {{
    default "";
{lines}  }}

  server {{
    listen {port};

    location = /health {{ return 200; }}

    location / {{
      if ($http_x_session_id = "") {{ return 400 "{missing}"; }}
      if ($engine = "") {{ return 404 "{unknown}"; }}
      proxy_pass http://$engine;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;  # tokens reach the client as they come
      proxy_connect_timeout {connect_s}s;
      proxy_read_timeout 600s;
    }}
  }}
}}
"""
