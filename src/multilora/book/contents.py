"""Contents for JupyterLab in which a stored notebook opens unchanged.

A notebook in normal form names no version of Python. JupyterLab would write
this one's into it as it opens, and say that there are unsaved changes.
`make lab` serves it with the version filled in already.
"""

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_server.services.contents.largefilemanager import (
    AsyncLargeFileManager,
)

from multilora.book.notebooks import KERNEL, LANGUAGE


class FilledIn(AsyncLargeFileManager):
    """The server's own files; normal form with the kernel's details."""

    async def get(self, path, content=True, type=None, format=None, **more):
        model = await super().get(path, content, type, format, **more)
        if content and model["type"] == "notebook":
            self._fill_in(model["content"]["metadata"])
        return model

    def _fill_in(self, metadata):
        """Say what the kernel will say, where a notebook is in normal form."""
        is_normal = (
            metadata.get("kernelspec") == KERNEL
            and metadata.get("language_info") == LANGUAGE
        )
        if not is_normal:
            return
        try:
            spec = self.parent.kernel_spec_manager.get_kernel_spec(
                KERNEL["name"]
            )
        except NoSuchKernel:
            return  # JupyterLab asks the reader for another one
        metadata["language_info"] = IPythonKernel.language_info
        metadata["kernelspec"] = KERNEL | {"display_name": spec.display_name}
