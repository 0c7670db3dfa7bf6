"""What a user may choose about a trained model."""

from __future__ import annotations

from dataclasses import dataclass

from marketsim.errors import UsageError


@dataclass(frozen=True, slots=True)
class Options:
    """Choices that models share the names of; None leaves a choice to the model."""

    weights: str | None = None  # a folder, or a repository ORG/NAME in place of the model's own
    revision: str | None = None  # of the repository: branch, tag or commit
    samples: int | None = None  # paths drawn a context
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    clip: float | None = None  # of standardised inputs
    trim: float | None = None  # of each tail: the mean of the rest is the point forecast; None: the median
    context: int | None = None  # bars
    representation: str = "auto"  # what is fed: moves, prices, or what was measured best for the model
    device: str = "auto"
    dtype: str = "float32"
    compile: bool = False  # with torch.compile, where it pays
    seed: int = 42

    def unused(self, model: str, *names: str) -> None:
        """UsageError when one of `names` was chosen, because `model` has no use for it."""
        for name in names:
            if getattr(self, name) != getattr(Options(), name):
                raise UsageError(f"--{name.replace('_', '-')}: model '{model}' has no use for it")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is drawn from its logits: divided by `temperature`, then `top_k` (0 for all), then `top_p`."""

    temperature: float
    top_k: int
    top_p: float
