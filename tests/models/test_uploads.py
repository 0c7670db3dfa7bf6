"""What goes to a device, and in which order; a GPU's streams are stood in for where there is none."""

from contextlib import contextmanager

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from marketsim.models import uploads  # noqa: E402
from marketsim.models.inference import Inference, Network  # noqa: E402
from marketsim.models.uploads import PARTS, Uploads  # noqa: E402


class Doubled(Network):
    """A network that says what it is at."""

    def __init__(self, done):
        super().__init__()
        self.done = done

    def quantiles(self, series):
        self.done.append(("computed", len(series)))
        return 2 * series


@pytest.fixture
def steps(monkeypatch):
    """Uploads whose GPU is the CPU, and what is done on its streams."""
    done = []

    class Stream:
        def __init__(self, device=None):
            self.name = "copying"

        def wait_stream(self, other):
            done.append(("waits for", other.name))

    @contextmanager
    def stream(entered):
        done.append(("on", entered.name))
        yield

    computing = Stream()
    computing.name = "computing"
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: computing)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: done.append(("pinned", len(tensor))) or tensor)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, used: done.append(("kept for", used.name)))
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device, non_blocking=False: tensor)
    return done


def test_a_gpu_computes_beside_what_is_prepared_and_copied(steps):
    series = np.arange(10, dtype=np.float32)[:, None]

    def prepare(rows):
        steps.append(("prepared", rows.start))
        return series[rows]

    inference = Inference(Doubled(steps), torch.device("cuda"), batch=10, bfloat16=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "autocast", lambda *_, **__: torch.inference_mode())
        found = inference.quantiles(10, prepare)
    np.testing.assert_array_equal(found, 2.0 * series)
    first = [("prepared", 0), ("on", "copying"), ("pinned", 3), ("waits for", "copying"), ("kept for", "computing")]
    assert steps[:6] == [*first, ("computed", 3)]
    assert [n for what, n in steps if what == "prepared"] == [0, 3, 6, 9]  # before the first answer is asked for


def test_a_cpu_is_sent_everything_at_once():
    sent = Uploads(torch.device("cpu"))
    assert sent.parts(10) == [slice(0, 10)]
    assert sent.send(np.ones(3, np.float32)).tolist() == [1.0] * 3


@pytest.mark.parametrize("count", [0, 1, 3, 76])
def test_parts_are_all_of_it(count, steps):
    parts = Uploads(torch.device("cuda")).parts(count)
    assert np.concatenate([np.arange(count)[rows] for rows in parts] or [[]]).tolist() == list(range(count))
    assert len(parts) <= PARTS == uploads.PARTS
