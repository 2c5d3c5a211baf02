"""What every container of a plan shares: image, command, adapters' folder."""

import re
from os.path import abspath, commonpath, dirname, expanduser, relpath
from pathlib import PurePosixPath

from multilora.arguments import shown, text
from multilora.deploy.serve_args import checked_plan, serve_args
from multilora.plan.answer import Backup, Plan, Tenant

PORT = 8000  # of an engine or the gateway, within its container
ADAPTERS = "/adapters"  # where an engine finds them, within its container
MODEL = "/model"  # where it finds the base, if that is a folder
GATEWAY_IMAGE = "nginx:stable"
CACHE = "/root/.cache/huggingface"  # where vLLM's image downloads to


def image_of(plan: Plan) -> str:
    """Return vLLM's own image of the plan's version.

    Raises TypeError for no Plan, ValueError for what is no version.
    """
    checked_plan(plan)
    version = plan.vllm_version.split("+")[0]  # no image says how it was built
    if not re.fullmatch(r"[0-9][0-9A-Za-z.]{0,40}", version):
        raise ValueError(
            f"vllm_version is {shown(plan.vllm_version)}, but must be one "
            "such as 0.32.0"
        )
    return f"vllm/vllm-openai:v{version}"


def is_folder(model: str) -> bool:
    """True for a model that is a folder of this machine, not one of a hub."""
    return text("model", model).startswith(("/", "./", "../", "~"))


def adapters_root(plan: Plan) -> str | None:
    """Return the folder that holds all adapters' folders, None without any.

    Raises TypeError for no Plan.
    """
    checked_plan(plan)
    parents = {
        dirname(abspath(tenant.folder))
        for engine in plan.engines
        for tenant in engine.tenants
        if tenant.folder
    }
    return commonpath(parents) if parents else None


def container_args(plan: Plan, number: int) -> list[str]:
    """Return the words after `vllm serve` within a container.

    A base that is a folder lies in MODEL and keeps the name that requests
    use. "$" is doubled, for Compose and Kubernetes put variables in; both
    make one of two. Raises as serve_args does.
    """
    root = adapters_root(plan)

    def folder_of(tenant: Tenant | Backup) -> str | None:
        if not root or not tenant.folder:
            return None
        return container_folder(tenant.folder, root)

    words = serve_args(plan, number, PORT, folder_of)
    if is_folder(plan.model):
        words[0] = MODEL
        words[1:1] = ["--served-model-name", plan.model]
    return [word.replace("$", "$$") for word in words]


def container_folder(folder: str, root: str) -> str:
    """Return where a folder below root lies within a container."""
    inner = relpath(abspath(text("folder", folder)), text("root", root))
    return str(PurePosixPath(ADAPTERS, inner))


def binds(plan: Plan) -> list[tuple[str, str]]:
    """Return (folder here, folder in a container) of all that engines read.

    Adapters that share no folder but "/" are bound one by one: an engine
    must not see the whole machine.
    Raises TypeError for no Plan.
    """
    root = adapters_root(plan)
    found = []
    if root == "/":
        folders = {
            abspath(tenant.folder)
            for engine in plan.engines
            for tenant in engine.tenants
            if tenant.folder
        }
        found = [(one, container_folder(one, root)) for one in sorted(folders)]
    elif root:
        found = [(root, ADAPTERS)]
    if is_folder(plan.model):
        found.append((abspath(expanduser(plan.model)), MODEL))
    return found


def engine_names(plan: Plan, prefix: str = "engine-") -> list[str]:
    """Return a name for each engine's service: engine-1, engine-2, …

    Raises TypeError for no Plan or a prefix that is no str.
    """
    checked_plan(plan)
    prefix = text("prefix", prefix)
    return [f"{prefix}{number}" for number in range(1, len(plan.engines) + 1)]
