"""Wrong arguments of a plan's files work or are named."""

import made_plans
from bad_input import each_wrong_value
from multilora.deploy import (
    compose,
    containers,
    files,
    gateway,
    kubernetes,
    load_test,
    quoting,
    router,
    serve_args,
)

PLAN = made_plans.three_engines()
GOOD = {
    compose.compose: (PLAN,),
    compose.compose_file: (PLAN,),
    containers.adapters_root: (PLAN,),
    containers.binds: (PLAN,),
    containers.container_args: (PLAN, 1),
    containers.container_folder: ("/srv/a", "/srv"),
    containers.engine_names: (PLAN, "engine-"),
    containers.image_of: (PLAN,),
    containers.is_folder: ("/models/a",),
    files.answer_files: (PLAN,),
    files.engine_file: (PLAN, 1),
    files.readme: (PLAN,),
    gateway.engines_by_tenant: (PLAN,),
    gateway.gateway_conf: (PLAN,),
    gateway.header_value: ("acme",),
    gateway.local_addresses: (PLAN,),
    gateway.tenants_csv: (PLAN,),
    kubernetes.kubernetes: (PLAN,),
    kubernetes.kubernetes_file: (PLAN,),
    load_test.load_test: (PLAN, 1),
    load_test.load_test_file: (PLAN, 1),
    load_test.traffic_split: (PLAN.engines[0].tenants,),
    quoting.comment: (["a line"],),
    quoting.counted: (2, "engine"),
    quoting.dns_name: ("Qwen2.5-7B", 40),
    quoting.one_line: ("a\nb", 60),
    quoting.shell_lines: ([["a", "b c"]],),
    quoting.yaml_text: ([{"a": 1}],),
    router.router_args: (PLAN,),
    router.router_file: (PLAN,),
    router.router_line: (PLAN,),
    serve_args.gpus_of: (PLAN, 1),
    serve_args.port_of: (PLAN, 1),
    serve_args.serve_args: (PLAN, 1),
    serve_args.serve_line: (PLAN, 1),
    serve_args.without_folder: (PLAN.engines[0],),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
