"""What can be averaged: numbers, arrays, tensors, nested dicts and lists of them; and what the averages keep."""

import copy
import io
import pickle
from collections import namedtuple

import numpy as np
import pytest
import torch

from trimtab.average import EMA, BoxAverage, RunningMean

AVERAGES = [EMA(0.9), RunningMean(), BoxAverage(3)]
every_average = pytest.mark.parametrize("fresh", AVERAGES, ids=repr)
Point = namedtuple("Point", "x y")


@pytest.fixture
def average(fresh):
    return copy.deepcopy(fresh)


@every_average
def test_a_nested_structure_is_averaged_leaf_by_leaf(average, fresh):
    alone = copy.deepcopy(fresh)
    for i in range(5):
        average.update({"loss": 0.1 * i, "layers": [torch.full((2,), float(i)), (i, Point(i, np.arange(2) * i))]})
        alone.update(float(i))
    value = average.value
    assert value["loss"] == pytest.approx(0.1 * alone.value)
    assert torch.allclose(value["layers"][0], torch.full((2,), alone.value))
    number, point = value["layers"][1]
    assert (number, point.x) == (alone.value, alone.value) and isinstance(point, Point)
    np.testing.assert_allclose(point.y, np.arange(2) * alone.value)


@every_average
@pytest.mark.parametrize(
    ("observation", "kind"),
    [(1, float), (True, float), (np.float32(1), float), (np.int64(1), float), (np.array(1.0), float), (1j, complex)],
)
def test_numbers_of_all_kinds_become_python_numbers(average, observation, kind):
    average.update(observation)
    assert type(average.update(observation)) is kind and average.value == complex(observation)


@every_average
@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.int64, torch.float64),
        (torch.bool, torch.float64),
        (torch.complex64, torch.complex64),
    ],
)
def test_tensors_keep_at_least_float32(average, dtype, kept):
    ones = torch.ones(2, dtype=dtype)
    average.update(ones)
    assert average.update(ones).dtype == kept
    assert torch.equal(average.value, torch.ones(2, dtype=kept))


@every_average
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 3)])
def test_empty_and_0_dim_tensors(average, shape):
    for _ in range(3):
        average.update(torch.ones(shape))
    assert torch.equal(average.value, torch.ones(shape))


@every_average
def test_non_contiguous_tensors(average):
    x = torch.arange(6.0).reshape(2, 3)
    average.update(x.T)
    average.update(x[:1].expand(2, 3).T)
    assert average.value.shape == (3, 2)


@every_average
def test_small_steps_are_not_lost_in_bfloat16(average):
    for i in range(4):
        average.update(torch.tensor([1.0 + i / 128], dtype=torch.bfloat16))
    assert 1 < average.value.item() < 1 + 3 / 128


@every_average
def test_what_was_observed_and_what_was_read_stay_as_they_are(average):
    o = torch.tensor([1.0])
    first = average.update(o)
    o.fill_(7.0)
    average.update(o)
    assert first.item() == 1.0 and average.value.item() == pytest.approx(AVERAGE_OF_1_AND_7[type(average)])


AVERAGE_OF_1_AND_7 = {EMA: (0.9 * 0.1 * 1 + 0.1 * 7) / (1 - 0.9**2), RunningMean: 4.0, BoxAverage: 4.0}


@every_average
def test_gradients_are_not_followed(average):
    w = torch.ones(2, requires_grad=True)
    assert not average.update(w * 2).requires_grad


@every_average
def test_value_before_the_first_observation_is_refused(average):
    with pytest.raises(ValueError, match="no observation yet; call update"):
        _ = average.value


@every_average
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({"a": 1.0}, {"b": 1.0}, r"observation is a dict with keys \[\"'b'\"\], the average has a dict with keys"),
        ({"a": [1.0, 2.0]}, {"a": [1.0]}, r"observation\['a'\] is a sequence of 1"),
        ([torch.ones(2)], [torch.ones(3)], r"observation\[0\] is a tensor of shape \(3,\)"),
        (np.ones(2), np.ones(3), r"an array of shape \(3,\)"),
        (1.0, torch.ones(1), "the average has a number there"),
    ],
)
def test_another_structure_is_refused_and_changes_nothing(average, first, second, message):
    average.update(first)
    with pytest.raises(ValueError, match=message):
        average.update(second)
    assert average.count == 1


@every_average
@pytest.mark.parametrize("what", ["text", None, np.array(["a"]), object()])
def test_what_is_no_number_is_refused(average, what):
    with pytest.raises(TypeError, match=r"observation\['x'\] is of type .* which has no average"):
        average.update({"x": what})


@every_average
def test_reset_forgets_all_and_takes_another_structure(average):
    average.update(5.0)
    average.reset()
    assert average.count == 0 and average.update([1.0]) == [1.0]


@every_average
def test_copies_and_pickles_go_on_alike(average):
    average.update({"w": torch.ones(2), "loss": 3.0})
    others = [copy.deepcopy(average), pickle.loads(pickle.dumps(average))]
    expected = average.update({"w": torch.zeros(2), "loss": 1.0})
    for other in others:
        assert other.count == 1
        value = other.update({"w": torch.zeros(2), "loss": 1.0})
        assert torch.equal(value["w"], expected["w"]) and value["loss"] == expected["loss"]


@every_average
def test_a_checkpoint_goes_on_alike(average, fresh):
    for i in range(5):
        average.update({"w": torch.full((2,), float(i)), "loss": float(i)})
    file = io.BytesIO()
    torch.save(average.state_dict(), file)
    file.seek(0)
    other = copy.deepcopy(fresh)
    other.load_state_dict(torch.load(file))
    assert other.count == 5
    observation = {"w": torch.ones(2), "loss": 1.0}
    mine, theirs = average.update(observation), other.update(observation)
    assert torch.equal(mine["w"], theirs["w"]) and mine["loss"] == theirs["loss"]


@every_average
def test_a_checkpoint_from_before_the_first_observation(average, fresh):
    average.update(1.0)
    average.load_state_dict(copy.deepcopy(fresh).state_dict())
    with pytest.raises(ValueError, match="no observation yet"):
        _ = average.value


@every_average
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_non_finite_entry_spoils_its_own_place_only(average, bad):
    for o in ([1.0, bad], [1.0, 1.0]):
        average.update(np.array(o))
    assert average.value[0] == 1.0 and not np.isfinite(average.value[1])
