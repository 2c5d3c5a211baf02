"""Wrong arguments of plans, their files and lines work or are named."""

import made_plans
from bad_input import each_wrong_value
from multilora.models.shipped import model_shape
from multilora.plan import (
    compose,
    containers,
    files,
    fit,
    gateway,
    kubernetes,
    load_test,
    quoting,
    router,
    serve_args,
    serve_flags,
    serve_line,
    serve_words,
)

PLAN = made_plans.three_engines()
LLAMA = model_shape("Llama-3.1-8B")
LINE = serve_line.serve_line("vllm serve M")
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
    serve_args.engine_of: (PLAN, 1),
    serve_args.gpus_of: (PLAN, 1),
    serve_args.port_of: (PLAN, 1),
    serve_args.serve_args: (PLAN, 1),
    serve_args.serve_line: (PLAN, 1),
    serve_args.without_folder: (PLAN.engines[0],),
    serve_words.serve_words: ("vllm serve M",),
    serve_flags.read_flags: (["--max-loras", "3"],),
    serve_flags.near_flag: ("--max-loraz",),
    serve_line.serve_line: ("vllm serve M", "0.32.0"),
    fit.fit: (LINE, LLAMA, 80, [512]),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
