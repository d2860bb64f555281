"""How a pipeline calls models: edgedet's own with the frame's pixels, anything else with the frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Union

from edgedet.camera.frame import Frame
from edgedet.model import Model, Timings

#: A model of edgedet's, or anything that takes a `Frame`.
Callee = Union[Model, Callable[[Frame], Any]]


class ModelCall:
    """A model of edgedet's with arguments that stay, as a callable that takes a `Frame`.

    ``call.options`` may be changed while a pipeline runs; the next frame sees it.
    """

    def __init__(self, model: Model, **options: Any) -> None:
        """``model(image, color=…, **options)`` for each frame."""
        self.model = model
        self.options = dict(options)

    def __call__(self, frame: Frame) -> Any:
        """The model's answer for the frame."""
        call: Callable[..., Any] = self.model
        return call(frame.image, color=frame.color, **self.options)

    @property
    def timings(self) -> Timings:
        """Those of the calling thread's last call."""
        return self.model.timings


class Answer(NamedTuple):
    """What all models made of one frame, and how long they took."""

    outputs: dict[str, Any]
    times: Timings


class Models:
    """One or several models, asked one after the other."""

    def __init__(self, model: Callee | Mapping[str, Callee]) -> None:
        """Names them; a sole one without a name is ``model``."""
        named = dict(model) if isinstance(model, Mapping) else {"model": model}
        if not named or not all(callable(each) for each in named.values()):
            raise ValueError(f"model: expected a model, a callable or a dict of them, got {model!r}; see edgedet.load")
        self._calls: dict[str, Callable[[Frame], Any]] = {
            name: ModelCall(each) if isinstance(each, Model) else each for name, each in named.items()
        }

    def __call__(self, frame: Frame) -> Answer:
        """Asks each model; times are added up."""
        outputs, total = {}, (0.0, 0.0, 0.0)
        for name, call in self._calls.items():
            began = time.monotonic()
            outputs[name] = call(frame)
            took = time.monotonic() - began
            own = getattr(call, "timings", None)
            times = own if isinstance(own, Timings) else Timings(0.0, took, 0.0)
            total = (total[0] + times[0], total[1] + times[1], total[2] + times[2])
        return Answer(outputs, Timings(*total))
