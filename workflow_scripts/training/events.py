"""Figures of a training run for TensorBoard, in files of its own kind: nothing is sent anywhere."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from workflow_scripts.training import processes


class Events:
    """Writes figures by step to a folder; what an interrupted run wrote from step `start` on is no longer shown."""

    def __init__(self, folder: Path, start: int) -> None:
        self.writer = None
        if processes.first():
            # imported where it is used: it takes a second
            tensorboard = import_module("torch.utils.tensorboard")
            self.writer = tensorboard.SummaryWriter(str(folder), purge_step=start)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Keep figures of a step."""
        if self.writer is not None:
            for name, value in figures.items():
                self.writer.add_scalar(name, value, step)

    def flush(self) -> None:
        """Write what is held back, and go on."""
        if self.writer is not None:
            self.writer.flush()

    def close(self) -> None:
        """Write what is still held back."""
        if self.writer is not None:
            self.writer.close()
