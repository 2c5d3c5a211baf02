"""A Case that no other process survives."""

import os
import signal

from multilora.plan.case import Case


class DeadlyCase(Case):
    """Kills who plays it, unless that is the process that its model names."""

    @property
    def slot_ranks(self):
        if os.getpid() != int(self.model):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().slot_ranks


def deadly(case):
    """Return the same Case, which only this process survives."""
    return DeadlyCase(*case._replace(model=str(os.getpid())))
