from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest

from trimtab.core.trace import Trace
from trimtab.report import page

LIMIT = 2_000_000
CHARTS = 8  # that the training of these tests has data for


def scripts(text: str) -> list[str]:
    return re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)


def without_style(text: str) -> str:
    return re.sub(r"<style>.*?</style>", "", without_scripts(text), flags=re.DOTALL)


def without_scripts(text: str) -> str:
    return re.sub(r"<script[^>]*>.*?</script>", "", text, flags=re.DOTALL)


def test_the_words_come_before_the_charts_and_the_origin_last(sick) -> None:
    text = page.render(sick.diagnosis, sick.trace)
    order = [
        "SICK",
        "input-not-normalized",
        "<details>",
        "learning-rate-too-low",
        "TT901",
        "<figure",
        '<details class="layers"',
        "<footer>",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert text.count("<figure") == text.count('role="img" aria-label="') == text.count("<figcaption>") == CHARTS


def test_the_chain_leads_from_the_cause_to_its_symptoms(sick, vanishing, healthy) -> None:
    (chain,) = re.findall(r'<ol class="chain">(.*?)</ol>', page.render(sick.diagnosis, sick.trace))
    assert re.findall(r'href="#(TT\d+)"', chain) == ["TT101", "TT301", "TT211"]
    text = page.render(sick.diagnosis, sick.trace)
    assert all(f'id="{code}"' in text for code in ("TT101", "TT301", "TT211"))
    assert "<span><b>depth</b></span>" in page.render(vanishing.diagnosis, vanishing.trace)
    assert "chain" not in without_style(page.render(healthy.diagnosis, healthy.trace))


def test_the_layers_stand_there_as_numbers(make_training: Callable[..., Trace], healthy) -> None:
    text = page.render(healthy.diagnosis, make_training(layers=3))
    head = re.findall(r'<th scope="col">(.*?)</th>', text)
    assert head == ["layer", "gain M", "‖dL/dφ‖", "input sd", "update / weight", "dead", "saturated"]
    rows = re.findall(r'<tr data-place="(\d)"><th scope="row"><button[^>]*>(.*?)</button></th>(.*?)</tr>', text)
    assert [(place, name) for place, name, _ in rows] == [("0", "net.0"), ("1", "net.2"), ("2", "net.4")]
    last = re.findall("<td>(.*?)</td>", rows[2][2])
    assert last[0] == "–"  # nothing follows it, so it has no gain
    assert last[5].endswith("%")


@pytest.mark.parametrize("name", ["sick", "healthy", "vanishing"])
def test_nothing_is_loaded_from_anywhere(name: str, request: pytest.FixtureRequest) -> None:
    case = request.getfixturevalue(name)
    text = page.render(case.diagnosis, case.trace)
    assert "http" not in without_scripts(text).replace("http-equiv", "")
    assert not re.search(
        r"<(?!link rel=\"icon\" href=\"data:,\"|a href=\"#)[^>]*\s(src|href|srcset|action)=", without_scripts(text)
    )
    assert "@import" not in text
    assert "url(" not in without_scripts(text)


def test_no_script_runs_but_the_one_whose_hash_the_policy_names(sick) -> None:
    text = page.render(sick.diagnosis, sick.trace)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    data, code = scripts(text)
    hashed = b64encode(sha256(code.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{hashed}';" in policy
    assert "unsafe-eval" not in policy
    assert len(json.loads(data)) == CHARTS


def test_a_page_without_charts_has_no_script(unseen) -> None:
    text = page.render(unseen.diagnosis, unseen.trace)
    assert "<script" not in text
    assert "<figure" not in text
    assert "script-src 'none'" in text
    assert "UNSEEN" in text


def test_what_comes_from_the_script_stays_text(vanishing) -> None:
    text = page.render(vanishing.diagnosis, vanishing.trace)
    data, _ = scripts(text)
    assert "<img" not in without_scripts(text)
    assert "<" not in data
    assert "\u2028" not in text
    assert "\x1b" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_fits_a_phone_and_the_dark(healthy) -> None:
    text = page.render(healthy.diagnosis, healthy.trace)
    assert '<meta name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text


def test_a_thousand_layers_and_ten_thousand_steps_fit(sick, make_training: Callable[..., Trace]) -> None:
    trace = make_training(1000, 10_000, "transformer.encoder.blocks.{}.attention.output.projection", sampled=1000)
    text = page.render(sick.diagnosis, trace)
    assert len(text.encode()) <= LIMIT
    for spec in json.loads(scripts(text)[0]):
        for rows in spec.get("datasets", {"": spec.get("data", {}).get("values", [])}).values():
            assert len(rows) <= 200
            assert all(len(row.get("step", ())) <= 200 for row in rows if isinstance(row.get("step"), list))


def test_the_same_run_makes_the_same_page(sick) -> None:
    assert page.render(sick.diagnosis, sick.trace) == page.render(sick.diagnosis, sick.trace)
