"""Names, steps and losses go to the right place in programs of every shape."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torch.utils.data
from torch import Tensor, nn

from tests.watching.programs import PROGRAMS
from trimtab.core.errors import TrimtabError
from trimtab.core.signal import LOSS, TRAINING_MODE, UPDATE_RMS
from trimtab.core.trace import Trace
from trimtab.watching import Watcher


def watch(name: str, steps: int = 4) -> Trace:
    torch.manual_seed(0)
    with Watcher() as watcher:
        PROGRAMS[name](steps)
    return watcher.trace()


def names(trace: Trace, kind: Any) -> list[str]:
    return [site.name for site in trace.of(kind)]


def test_two_models_two_optimizers_three_losses() -> None:
    trace = watch("gan")
    assert set(names(trace, "layer")) == {"d.0", "d.1", "g.0", "g.2"}
    assert trace.steps == 8
    assert len(trace.of("optimizer")) == 2
    assert len(trace.of("loss")) == 3
    # The discriminator's losses belong to even steps, the generator's to odd ones.
    assert np.isfinite(trace[LOSS][0]).sum() == 2 and np.isfinite(trace[LOSS][1]).sum() == 1


def test_a_closure_counts_as_one_step_with_its_first_loss() -> None:
    trace = watch("lbfgs")
    assert trace.steps == 4
    assert trace[LOSS].shape == (4, 1)


def test_raw_tensors_are_named_by_the_script_and_a_backward_is_a_step() -> None:
    trace = watch("by_hand", steps=5)
    assert names(trace, "parameter") == ["w1", "b1", "w2"]
    assert names(trace, "layer") == ["w1", "w2"]
    assert trace.steps == 4  # the update after the last backward has no end that could be seen
    assert (trace[UPDATE_RMS][:, 0] > 0).all()


def test_an_optimizer_left_over_from_another_program_does_not_hide_an_update_by_hand() -> None:
    left_over = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)
    assert watch("by_hand", steps=5).steps == 4
    assert watch("autograd_grad", steps=5).steps == 4
    del left_over


def test_autograd_grad_without_an_optimizer_is_a_backward() -> None:
    trace = watch("autograd_grad", steps=5)
    assert trace.steps >= 4
    assert len(trace[LOSS]) == 5
    assert names(trace, "parameter") == ["w"]  # a new tensor at each step, the same place


def test_gradient_penalties_are_no_losses() -> None:
    trace = watch("double_backward")
    assert len(trace.of("loss")) == 2
    assert trace.steps == 4


class Listed(nn.Module):
    """Layers in a plain list are invisible to named_modules."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(4, 4) for _ in range(3)]
        self.head = nn.Linear(4, 1)

    def forward(self, x: dict[str, Tensor]) -> tuple[Tensor, None]:
        hidden = x["x"]
        for layer in self.layers:
            hidden = torch.relu(layer(hidden))
        return self.head(hidden), None


def test_modules_in_a_plain_list_and_dict_inputs() -> None:
    with Watcher() as watcher:
        model = Listed()
        optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
        model({"x": torch.randn(5, 4)})[0].sum().backward()
        optimizer.step()
    assert names(watcher.trace(), "layer") == ["layers[0]", "layers[1]", "layers[2]", "head"]


def test_a_shared_module_is_one_layer_called_twice() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.act, self.head = nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.act(self.block(self.act(self.block(x)))))

    model = Shared()
    with Watcher() as watcher:
        model(torch.randn(5, 4)).sum().backward()
    trace = watcher.trace()
    assert names(trace, "layer") == ["block", "head"]
    assert names(trace, "activation") == ["act"]


def test_own_activation_modules_bear_their_names() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    with Watcher() as watcher:
        model(torch.randn(5, 4)).sum().backward()
    assert names(watcher.trace(), "activation") == ["1", "3"]
    assert [site.attrs["role"] for site in watcher.trace().of("activation")] == ["hidden", "hidden"]


def test_gates_and_outputs_are_told_from_hidden_activations() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value, self.gate, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.sigmoid(self.out(self.value(x) * torch.sigmoid(self.gate(x))))

    model = Gated()
    with Watcher() as watcher:
        F.binary_cross_entropy(model(torch.randn(5, 4)), torch.ones(5, 1)).backward()
    roles = {str(site.attrs["after"]): site.attrs["role"] for site in watcher.trace().of("activation")}
    assert roles == {"gate": "gate", "out": "output"}


def test_tied_weights_are_two_layers_and_one_parameter() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(7, 4)

        def forward(self, tokens: Tensor) -> Tensor:
            return F.linear(self.table(tokens), self.table.weight)

    model = Tied()
    with Watcher() as watcher:
        model(torch.randint(0, 7, (3, 5))).sum().backward()
    trace = watcher.trace()
    assert [site.attrs["op"] for site in trace.of("layer")] == ["embedding", "linear"]
    assert names(trace, "parameter") == ["table.weight"]


def test_what_is_compiled_is_said_to_be_unseen() -> None:
    trace = watch("compiled")
    reasons = [event.data["reason"] for event in trace.events if event.kind == "unseen"]
    assert reasons in (["compiled"], [])  # the eager backend leaves the graph as it is
    assert len(trace.of("parameter")) == 4
    assert all("_orig_mod" not in name for name in names(trace, "parameter"))


def test_what_lies_in_a_reentrant_checkpoint_is_said_to_be_unseen() -> None:
    trace = watch("reentrant_checkpointing")
    assert [e.data["reason"] for e in trace.events if e.kind == "unseen"] == ["checkpoint"]


def test_layers_in_a_checkpoint_are_seen_and_never_recomputed_for_it() -> None:
    trace = watch("checkpointing")
    assert "block.0" in names(trace, "layer") and not trace.events


def test_an_optimizer_that_never_steps_is_told() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watcher() as watcher:
        for _ in range(3):
            model(torch.randn(4, 2)).sum().backward()
    assert optimizer is not None
    (event,) = watcher.trace().events
    assert (event.kind, event.data["backwards"]) == ("no-step", 3)
    assert watcher.trace().steps == 0


def test_the_origin_of_a_nan_is_found_in_the_graph() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watcher() as watcher:
        for step in range(3):
            out = model(torch.ones(4, 2)).abs() * (0.0 if step == 1 else 1.0)
            loss = torch.log(out).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    event = next(e for e in watcher.trace().events if e.kind == "first-nonfinite")
    assert event.step == 1
    assert (event.data["phase"], event.data["operation"], event.data["layer"]) == ("forward", "log", "model")


@pytest.mark.parametrize(
    "bad", [{"budget": -1}, {"budget": 101}, {"max_steps": 0}, {"model": 3}, {"optimizer": nn.ReLU()}]
)
def test_bad_arguments_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(TrimtabError, match="got"):
        Watcher(**bad)


def test_a_second_training_thread_is_left_alone_and_told() -> None:
    with Watcher() as watcher:
        PROGRAMS["mlp"](2)
        other = threading.Thread(target=PROGRAMS["mlp"], args=(3,))
        other.start()
        other.join()
    assert watcher.steps == 2
    assert [e.data["reason"] for e in watcher.trace().events] == ["thread"]


def test_a_forked_child_watches_nothing() -> None:
    hooked: list[bool] = []
    with Watcher() as watcher:
        PROGRAMS["mlp"](1)
        loader: torch.utils.data.DataLoader[Tensor] = torch.utils.data.DataLoader(
            Drawn(), batch_size=2, num_workers=1, multiprocessing_context="fork"
        )
        hooked += [bool(batch.any()) for batch in loader]
        PROGRAMS["mlp"](1)
    assert hooked == [False, False]
    assert watcher.steps == 2


class Drawn(torch.utils.data.Dataset[Tensor]):
    """Says, from inside a worker, whether torch is hooked there."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor(hasattr(torch.autograd.backward, "trimtab_hooks"))


class Unit(nn.Module):
    """Trained by methods of its own, never called itself: as Lightning has it, and many a GAN."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head, self.idle, self.scale = nn.Linear(8, 1), nn.Linear(8, 1), nn.Parameter(torch.ones(1))

    def loss(self, x: Tensor) -> Tensor:
        return (self.head(self.encoder(x)) * self.scale).square().mean()


def test_a_model_whose_parts_are_called_by_its_own_methods_names_them() -> None:
    kept: dict[int, Any] = {}  # no variable of the script is the model

    def loss() -> Tensor:
        unit = Unit()
        kept[0] = unit, torch.optim.SGD(unit.parameters(), lr=0.1)
        return unit.loss(torch.randn(16, 4))

    with Watcher() as watcher:
        loss().backward()
        kept[0][1].step()
    trace = watcher.trace()
    assert {"encoder.0", "head"} <= set(names(trace, "layer"))
    assert set(names(trace, "parameter")) == {name for name, _ in Unit().named_parameters()}


def test_what_is_wrapped_around_a_model_shows_in_no_name_and_has_no_mode() -> None:
    model = nn.DataParallel(nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 1)))
    model.training = False  # of the wrapper alone, as Lightning leaves it
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watcher() as watcher:
        for _ in range(3):
            model(torch.randn(16, 4)).square().mean().backward()
            optimizer.step()
    trace = watcher.trace()
    assert names(trace, "layer") == ["0", "2"]
    assert (names(trace, "model"), set(trace[TRAINING_MODE].ravel())) == (["Sequential"], {1.0})
