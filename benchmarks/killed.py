"""Run a step of the workflow, and kill it at a point that cannot be seen from outside; for `benchmarks.kills`.

    python -m benchmarks.killed optimiser 20 workflow_scripts.qa.tune …

- optimiser: after the 20th step of an optimiser, before anything else is done;
- evaluation: before the 20th forward pass of an evaluation during training.

The step gets SIGKILL from itself, so nothing of it runs any more: no handler, no `finally`.
"""

import os
import runpy
import signal
import sys
from collections.abc import Callable
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook

from workflow_scripts.qa import answering


def countdown(after: int) -> Callable[..., None]:
    """A function that kills this process when it is called for the so-manieth time."""
    left = [after]

    def count(*arguments: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def main() -> None:
    _, point, after, module, *arguments = sys.argv
    count = countdown(int(after))
    if point == "optimiser":
        register_optimizer_step_post_hook(count)
    else:
        passing = answering.logits

        def counted(*given: Any) -> Any:
            count()
            return passing(*given)

        answering.logits = counted  # type: ignore[assignment]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
