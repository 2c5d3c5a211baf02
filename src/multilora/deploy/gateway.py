"""Which engine serves a tenant: a table, and nginx that follows it.

A plan puts each tenant on an engine. No router reads that; the client or a
gateway must send each request there. The header has the name that
vllm-router hashes too, so that clients are the same for both.
"""

import csv
import io
from collections.abc import Sequence
from urllib.parse import quote

from multilora.arguments import integer, names, text
from multilora.deploy.quoting import comment, counted
from multilora.deploy.serve_args import FIRST_PORT, checked_plan, port_of
from multilora.plan.answer import Plan

HEADER = "X-Session-ID"
MAX_NAME = 1000  # bytes of a header's value that every hop takes
_BODY = 32  # MiB of a request that the gateway takes
_MISSING = "Send the adapter, percent-encoded, in the header X-Session-ID.\\n"
_UNKNOWN = "No engine serves the adapter in the header X-Session-ID.\\n"


def header_value(name: str) -> str:
    """Return a tenant's name as its clients write it in the header.

    Letters, digits and "-._~" stand for themselves, all else is
    percent-encoded: a header holds neither line breaks nor most letters.
    Raises TypeError for no str.
    """
    return quote(text("name", name), safe="", errors="backslashreplace")


def engines_by_tenant(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return {name: numbers of the engines that serve this tenant}.

    Raises TypeError for no Plan.
    """
    found: dict[str, tuple[int, ...]] = {}
    for number, engine in enumerate(checked_plan(plan).engines, 1):
        for tenant in engine.tenants:
            before = found.get(tenant.name, ())
            found[tenant.name] = tuple(dict.fromkeys((*before, number)))
    return found


def local_addresses(plan: Plan) -> list[str]:
    """Return host:port of each engine where all run on this machine.

    Raises TypeError for no Plan.
    """
    engines_by_tenant(plan)
    numbers = range(1, len(plan.engines) + 1)
    return [f"127.0.0.1:{port_of(plan, number)}" for number in numbers]


def tenants_csv(plan: Plan) -> str:
    """Return a table: tenant, its header's value, engine, that one's URL.

    Raises TypeError for no Plan.
    """
    addresses = local_addresses(plan)
    rows = [
        (name, header_value(name), number, f"http://{addresses[number - 1]}")
        for name, numbers in engines_by_tenant(plan).items()
        for number in numbers
    ]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["tenant", "header", "engine", "url"])
    writer.writerows(rows)
    return table.getvalue()


def gateway_conf(
    plan: Plan,
    addresses: Sequence[str] | None = None,
    port: int = FIRST_PORT,
) -> str:
    """Return a whole nginx.conf that sends each tenant to its engine.

    addresses are host:port of the engines, None for local_addresses(plan).
    A tenant of several engines is served by them in turn; so is who names
    the base itself.
    Source: nginx, ngx_http_map_module; a test sends requests through it.
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
    routes = {
        header_value(name): numbers
        for name, numbers in found.items()
        if len(header_value(name)) <= MAX_NAME
    }
    left_out = len(found) - len(routes)
    every = tuple(range(1, len(plan.engines) + 1))
    if len(header_value(plan.model)) <= MAX_NAME:
        routes.setdefault(header_value(plan.model), every)
    return _ABOUT + _about_left_out(left_out) + _conf(routes, addresses, port)


def _about_left_out(num_names: int) -> str:
    if not num_names:
        return ""
    verb = "is" if num_names == 1 else "are"
    return "#\n" + comment([
        f"{counted(num_names, 'tenant')} {verb} missing: a name of more than "
        f"{MAX_NAME} bytes is too long for a header. Such requests go "
        "straight to their engine."
    ])  # fmt: skip


def _conf(
    routes: dict[str, tuple[int, ...]], addresses: list[str], port: int
) -> str:
    sets = sorted(set(routes.values()))
    upstreams = {
        numbers: f"engine_{numbers[0]}" if len(numbers) == 1 else f"group_{at}"
        for at, numbers in enumerate(sets, 1)
    }
    servers = [
        f"  upstream {name} {{\n"
        + "".join(f"    server {addresses[one - 1]};\n" for one in numbers)
        + "  }\n"
        for numbers, name in upstreams.items()
    ]
    lines = "".join(
        f'    "{_exactly(value)}" {upstreams[numbers]};\n'
        for value, numbers in routes.items()
    )
    return _CONF.format(
        upstreams="".join(servers), lines=lines, port=port, body=_BODY,
        missing=_MISSING, unknown=_UNKNOWN,
    )  # fmt: skip


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
      proxy_read_timeout 600s;
    }}
  }}
}}
"""
