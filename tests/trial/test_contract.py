"""Every remedy that can be enacted turns two sick programs of the clinic healthy, and leaves their cured twins well.

Minutes of training: `pytest -m contract` runs it, the test suite does not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from clinic.launch import launch
from clinic.programs import Program, discover
from clinic.repair import closed
from trimtab.core.recipe import Recipe
from trimtab.trial.enactors import enactable

METRICS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "clinic" / "metrics.json").read_text())

HEALS = {
    "add-momentum=0.9": ("movie_grid_completion",),
    "add-momentum=0.95": ("sparse_parity_sgd",),
    "break-symmetry": ("box_filter_start", "constant_weights_teacher"),
    "clean-data": ("constant_pixels", "missing_values"),
    "clear-gradients": ("forgot_zero_grad", "tagger_trainer_method_not_called"),
    "clip-by-norm=1": ("meter_readings_outliers", "charging_time_typos"),
    "clip-by-value=0.1": ("meter_readings_outliers", "charging_time_typos"),
    "follow-statistics=0.1": ("dice_reader_cnn", "pipe_pressure_surrogate"),
    "gate-through-time": ("saccade_memory_delay", "rnn_first_token"),
    "initialize-by-activation": ("init_normal_one", "opening_verb_cell"),
    "loosen-clipping=1": ("adding_lstm_clip_norm", "autoencoder_value_clip"),
    "lower-epsilon=1e-8": ("vae_mean_loss_eps", "char_mlp_adam_eps"),
    "lower-learning-rate=0.03": ("adam_lr_half",),
    "lower-learning-rate=0.01": ("pendulum_world_model",),
    "lower-weight-decay=1e-4": ("friedman_l2_strong", "textures_weight_decay"),
    "match-loss=softmax": ("char_gru_probabilities",),
    "match-loss=sigmoid": ("film_genres_multilabel",),
    "normalize-layers=layer": ("bilinear_gates_tower", "star_heatmaps_prior"),
    "optimize-all-parameters": ("groups_after_counting", "digit_halves_clip"),
    "raise-learning-rate=hold": ("scheduler_every_batch", "stripes_resnet"),
    "replace-activation": ("deep_sigmoid_mlp", "conv_autoencoder_deep_sigmoid"),
    "replace-batch-norm": ("bag_of_cells_head", "gesture_pairs_batchnorm"),
    "revive-units": ("heatmap_prior_everywhere", "relu_killed_by_shifted_input"),
    "scale-each-coordinate=0.01": ("rare_words_embedding", "deep_linear_map"),
    "set-mode": ("dropout_lost_after_validation", "tcn_oscillator_forecast"),
    "shuffle-data": ("folder_per_class_loader", "reaction_yield_table"),
    "standardize-inputs": ("credit_income_column", "raw_wine_kaggle"),
    "standardize-targets=1988.48:11.9961": ("song_year_huber",),
}
# One program or none: the clinic has no second that it heals alone.
RARE = {"average-weights", "enlarge-batch", "lower-momentum", "standardize-targets", "warm-up"}


def under(recipe: str, program: Program, folder: Path) -> tuple[dict[str, Any], float]:
    """The report and the metric of a program under a recipe."""
    out = folder / f"{program.kind}.json"
    command = [sys.executable, "-m", "trimtab", "run", "--quiet", "--json", str(out), "--with", recipe]
    metric = launch([*command, str(program.path)]).metric
    return json.loads(out.read_text()), metric


def test_every_remedy_has_its_programs() -> None:
    programs: dict[str, set[str]] = {}
    for recipe, names in HEALS.items():
        programs.setdefault(Recipe.parse(recipe).changes[0].name, set()).update(names)
    assert {name for name, healed in programs.items() if len(healed) >= 2} == {*enactable()} - RARE


@pytest.mark.contract
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("recipe", "name"), [(recipe, name) for recipe, names in HEALS.items() for name in names])
def test_it_heals_and_does_no_harm(recipe: str, name: str, tmp_path: Path) -> None:
    sick, cured = (next(p for p in discover([f"{kind}/{name}"])) for kind in ("sick", "cured"))
    report, metric = under(recipe, sick, tmp_path)
    before, goal = METRICS["sick"][name][:1], METRICS["cured"][name][:1]
    assert report["status"] == "healthy", report["findings"][0]["message"]
    assert closed(before, goal, [metric]) >= 0.5
    _, twin = under(recipe, cured, tmp_path)
    assert closed(before, goal, [twin]) >= 0.8
