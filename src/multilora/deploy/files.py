"""The files of a plan: their names, and the text of each."""

import re
import textwrap

from multilora.deploy.compose import compose_file
from multilora.deploy.gateway import gateway_conf
from multilora.deploy.homes import tenants_csv
from multilora.deploy.kubernetes import kubernetes_file
from multilora.deploy.llm_d import llm_d_file
from multilora.deploy.load_test import load_test_file
from multilora.deploy.production_stack import production_stack_file
from multilora.deploy.quoting import comment, counted, one_line
from multilora.deploy.router import router_file
from multilora.deploy.serve_args import (
    checked_plan,
    gpus_of,
    serve_line,
    without_folder,
)
from multilora.plan.answer import Plan, engine_of
from multilora.plan.routers import best_router

# Every name that a plan's files can have, the report's too.
OURS = re.compile(
    r"plan\.json|report\.html|README\.txt|tenants\.csv|compose\.yml"
    r"|kubernetes\.yml|gateway\.conf|router\.sh|llm-d\.yml"
    r"|production-stack\.yml"
    r"|engine-[0-9]+\.sh|load-test-[0-9]+\.yml"
)


def answer_files(plan: Plan) -> dict[str, str]:
    """Return {name: text} of every file but the report, plan.json first.

    Raises as serve_line does.
    """
    checked_plan(plan)
    numbers = range(1, len(plan.engines) + 1)
    files = {
        "plan.json": plan.model_dump_json(indent=1) + "\n",
        "README.txt": readme(plan),
    }
    files |= {f"engine-{one}.sh": engine_file(plan, one) for one in numbers}
    files["compose.yml"] = compose_file(plan)
    files["kubernetes.yml"] = kubernetes_file(plan)
    files["tenants.csv"] = tenants_csv(plan)
    if len(plan.engines) > 1:
        files["gateway.conf"] = gateway_conf(plan)
        files["router.sh"] = router_file(plan)
        files["llm-d.yml"] = llm_d_file(plan)
        files["production-stack.yml"] = production_stack_file(plan)
    return files | {
        f"load-test-{one}.yml": load_test_file(plan, one) for one in numbers
    }


def engine_file(plan: Plan, number: int) -> str:
    """Return the shell script of an engine: comments, GPUs, the line.

    Raises as serve_line does.
    """
    engine = engine_of(plan, number)
    about = [
        f"Engine {number} of {len(plan.engines)}: "
        f"{counted(len(engine.tenants), 'tenant')} on "
        f"{counted(plan.tensor_parallel_size, 'GPU')} of {plan.card_gib:g} "
        f"GiB, for vLLM {one_line(plan.vllm_version)}."
    ]
    if unknown := without_folder(engine):
        about.append(
            f"The plan does not know where {len(unknown)} of these adapters "
            f"lie, such as {one_line(unknown[0].name)}: add NAME=FOLDER of "
            "each to --lora-modules. Or export "
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and POST each to "
            "/v1/load_lora_adapter, where all who can reach the port are "
            "trusted."
        )
    gpus = ""
    if len(plan.engines) > 1:
        about.append(
            "All engines share one machine here. On a machine of its own, "
            "set CUDA_VISIBLE_DEVICES before you call this script."
        )
        places = ",".join(gpus_of(plan, number))
        gpus = (
            f"CUDA_VISIBLE_DEVICES=${{CUDA_VISIBLE_DEVICES-{places}}}\n"
            "export CUDA_VISIBLE_DEVICES\n"
        )
    line = serve_line(plan, number)
    return f"#!/bin/sh\n{comment(about)}{gpus}\nexec {line}\n"


def _on_loss(plan: Plan) -> str:
    if not plan.spare:
        return ""
    return ", also while any one engine is lost" if plan.is_met else (
        ", or not while any one engine is lost"
    )  # fmt: skip


# What each front is for, by its file.
_FRONTS = {
    "gateway.conf": "nginx -c $PWD/gateway.conf -g 'daemon off;' (Compose and "
    "Kubernetes already hold it). It follows the plan, backups too",
    "router.sh": "vllm-router; it does not follow the plan",
    "llm-d.yml": "llm-d's router; it does not follow the plan",
    "production-stack.yml": "vLLM's production-stack; it starts the engines "
    "too, and follows the plan",
}


def _fronts(plan: Plan) -> list[str]:
    """One recommendation, and what the other files are for."""
    best = best_router(plan)
    take = best.file if best and best.file else "gateway.conf"
    found = ""
    if best is not None:
        late = "no tenant" if not best.num_late else (
            counted(best.num_late, "tenant")
        )  # fmt: skip
        found = (
            f" Of the routers that were played, take this one: p99 "
            f"{best.p99_ms:,.0f} ms, {late} late."
        )
    others = "; ".join(
        f"{name} is for {words}"
        for name, words in _FRONTS.items()
        if name != take
    )
    return [
        "3. Send each tenant to their engine: tenants.csv says which that is "
        f"in the plan. Use {take}: {_FRONTS[take]}.{found}",
        f"If you have another router already: {others}. The comments of each "
        "say what it needs. Run one of them only.",
    ]


def readme(plan: Plan) -> str:
    """Return what each file is, and in which order they are used.

    Raises TypeError for no Plan.
    """
    checked_plan(plan)
    verdict = "meets" if plan.is_met else "does NOT meet"
    parts = [
        f"A plan of {counted(len(plan.engines), 'engine')} for "
        f"{counted(plan.num_tenants, 'tenant')} of {one_line(plan.model)}. "
        f"By the simulation it {verdict} the SLO{_on_loss(plan)}.",
        "1. report.html: what was asked, the answer, and why. It opens in a "
        "browser without a network.",
        "2. Start the engines in one of three ways: engine-*.sh on this "
        "machine, compose.yml with Docker, kubernetes.yml on a cluster.",
    ]
    if len(plan.engines) > 1:
        parts += _fronts(plan)
    else:
        parts.append(
            "3. Send requests to port 8000, with the tenant's name as the "
            "model. tenants.csv lists them."
        )
    parts += [
        "4. load-test-*.yml: inference-perf sends each engine its part of "
        "the traffic. Compare its times with the report before tenants come.",
        "5. plan.json: the same answer for a script, and the file by which "
        "multilora knows that this folder is its own.",
        "The next plan that is written here replaces these files. Keep your "
        "own versions under other names; files of other names stay.",
    ]
    return "\n\n".join(textwrap.fill(part, 78) for part in parts) + "\n"
