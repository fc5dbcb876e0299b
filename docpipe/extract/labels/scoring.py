"""Scores: how likely an option is a field's value, from its label, its form and what its kind adds. Knows every weight; reads no text anew.

A score of 0 is as likely right as wrong; what lies below is handed on only for a rule of the schema to lift.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from docpipe.extract.labels.candidates.party import named_beside, section_score
from docpipe.extract.labels.lexicon import TOTAL_WORD, has_postal
from docpipe.extract.labels.matching import NOBODY, Label
from docpipe.extract.labels.pairing import Pair
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.extract.labels.weights import WEIGHTS, ZERO
from docpipe.extract.layout import Segment
from docpipe.fields import name_words

_TOTALS = frozenset({"net", "gross", "tax", "total", "due"})
Features = dict[str, float]


@dataclass(frozen=True, eq=False)
class Scored:
    """An option with its score, the label that speaks for it, and the numbers the score was made of."""

    option: Option
    score: float
    pair: Pair | None
    features: Features


@dataclass(frozen=True, eq=False)
class View:
    """What a kind's score sees: the scene, the field, the option and the features found so far."""

    scene: Scene
    target: Target
    option: Option
    features: Features
    pair: Pair | None = None


def score(scene: Scene, target: Target, option: Option) -> Scored:
    """Look at the labels round the option and put everything known about it into one number."""
    pairs = [pair for pair in scene.pairing.pairs(option.place)] if option.paired else []
    own = _best(pair for pair in pairs if pair.label.owner == target.spec.path)
    features = {**_common(scene, option), **option.features}
    if option.paired:
        features.update(_label_features(target, pairs, own, scene))
    features.setdefault("own", 0.0)
    features.setdefault("claim", 0.0)
    view = View(scene, target, option, features, own)
    return Scored(option, _SCORES.get(_scorer(target), _free_text)(view) - _zero(target), own, features)


def _zero(target: Target) -> float:
    """The raw score that stands for even odds. A document has its own date and, where the schema demands it, a total: less will do."""
    if target.kind == "date" and target.bare_date:
        return -0.6
    if target.kind == "money" and target.spec.required:
        return -0.2
    return ZERO.get(_scorer(target), 0.5)


def inside_label(scene: Scene, option: Option) -> bool:
    """The option is a part of a printed label of several words: the 16 of `16 State tax`."""
    place = option.place
    return option.paired and any(
        label.similarity >= 0.88 and label.end - label.start >= 2 and label.starts_at <= place.start and place.end <= label.ends_at
        for label in scene.labels.by_segment.get(place.segment, ())
        if not label.heading
    )


def _scorer(target: Target) -> str:
    if target.side == "merchant" and target.kind in ("name", "address"):
        return f"merchant_{target.kind}"
    if target.side and target.kind in ("name", "address"):
        return f"party_{target.kind}"
    return target.kind


def _best(pairs: object) -> Pair | None:
    return max(pairs, key=lambda pair: pair.score, default=None)  # type: ignore[call-overload, no-any-return]


def _common(scene: Scene, option: Option) -> Features:
    page = scene.page(option.place)
    x0, y0, _, _ = option.box
    return {
        "fit": option.fit,
        "x": x0 / page.width,
        "y": y0 / page.height,
        "page": float(page.number - scene.layouts[0].number),
        "last_page": float(page.number == scene.layouts[-1].number),
        "ocr": float(page.source != "text_layer"),
    }


def _label_features(target: Target, pairs: list[Pair], own: Pair | None, scene: Scene) -> Features:
    mine = {(pair.label.segment, pair.label.end) for pair in pairs if pair.label.owner == target.spec.path}
    others = (pair for pair in pairs if pair.label.owner != NOBODY or (pair.label.segment, pair.label.end) not in mine)
    claim = _best(pair for pair in others if _claims(pair, target, scene))
    below = max((pair.score for pair in pairs if pair.label.owner == target.spec.path and pair.relation == "below"), default=0.0)
    ally = _best(pair for pair in pairs if pair.label.owner in target.stands_in)
    features = {"own": own.score if own else 0.0, "claim": claim.score if claim else 0.0, "below": below}
    if ally:
        features["ally"] = ally.score
    if own:
        features.update(
            distance=min(own.distance, 40.0), between=own.between, same_cell=float(own.same_cell), similarity=own.label.similarity
        )
    return features


def _claims(pair: Pair, target: Target, scene: Scene) -> bool:
    """The label belongs to another field that could take the same value, or to nobody's value."""
    label = pair.label
    if label.owner in (target.spec.path, *target.stands_in) or label.covered or label.similarity < 0.9:
        return False
    if target.kind in ("iban", "tax_id"):
        return False  # their form tells them from everything else
    if label.owner == NOBODY:
        return True
    other = next((known for known in scene.targets if known.spec.path == label.owner), None)
    if other is None or (target.role and other.role):
        return False
    return other.kind == target.kind or target.kind != "date"


def _labelled(features: Features) -> float:
    own = max(features["own"], WEIGHTS.ally * features.get("ally", 0.0))
    return WEIGHTS.own * own + WEIGHTS.fit * features["fit"] - WEIGHTS.claim * max(0.0, features["claim"] - features["own"])


def _money(view: View) -> float:
    features, scene = view.features, view.scene
    segment, key = view.option.place.segment, (view.option.place.segment, view.option.place.start)
    words = set(name_words(view.target.spec.name))
    value = Decimal(str(view.option.value))
    counts = scene.money_counts
    row = " ".join(other.text for other in scene.page(segment).lines[segment.line])
    features.update(
        column_sum=float(key in scene.columns.sums),
        column_last=float(key in scene.columns.last),
        column_followed=float(key in scene.columns.followed),
        largest=float(value == scene.largest),
        places=float(min(counts[value], 6)),
        zero=float(value == 0),
        total_row=float(bool(TOTAL_WORD.search(row))),
    )
    labelled = features["own"] > 0.2
    header_only = features["below"] == features["own"]
    total = _labelled(features)
    total += 0.12 * features["largest"] + 0.06 * min(features["places"], 3) + 0.1 * features["y"]
    total -= (0.2 if "tax" in words else 1.5 if view.target.spec.required else 0.9) * features["zero"]
    if words & {"gross", "total"}:
        total += 0.1 * features["total_row"] + 0.05 * features["last_page"]
    total += 0.55 * features["column_sum"] * labelled + 0.1 * features["column_last"]
    if words & _TOTALS:
        total -= 0.4 * features["column_followed"] * header_only
    total += 0.25 * features["total_row"] * (features["below"] > 0.2)
    return total - 0.6 * (features["own"] < 0.1)


def _date(view: View) -> float:
    features, target = view.features, view.target
    role = features["role"]
    features["role_fits"] = role if target.role == "start" else -role if target.role == "end" else -abs(role)
    features["places"] = float(min(6, view.scene.day_counts[str(view.option.value)]))
    total = _labelled(features)
    total += 0.45 * features["role_fits"] - 0.15 * features["slash"] if target.role else 0.1 * features["role_fits"]
    if target.bare_date:
        total += 0.35 * features["place_date"]
    if features["own"] < 0.1:
        total += (-0.05 if target.bare_date else -0.4) - 0.2 * features["y"] - 0.1 * features["page"]
    return total


def _time(view: View) -> float:
    features = view.features
    return _labelled(features) - 0.1 * (features["own"] < 0.1) - 0.1 * features["page"]


def _identifier(view: View) -> float:
    features = view.features
    features["places"] = float(min(3, view.scene.whole_text.count(view.option.raw)))
    total = _labelled(features) + 0.1 * features["places"] - 0.1 * features["page"] - 0.15 * features["y"]
    return total - (1.0 if features["own"] < 0.1 else 0.0)


def _choice(view: View) -> float:
    return view.features["prior"] + 0.3 + 0.8 * view.features["own"]


def _tick(view: View) -> float:
    return 0.3 + 0.5 * view.features["own"] + 0.5 * (view.features["fit"] - 0.5)


def _currency(view: View) -> float:
    return 0.6 + 0.4 * view.features["fit"]


def _iban(view: View) -> float:
    return _labelled(view.features) + 0.2 - 0.05 * view.features["page"]


def _tax_id(view: View) -> float:
    features, scene, target = view.features, view.scene, view.target
    others = {other.group for other in scene.targets if other.kind == "tax_id" and other.group != target.group}
    segment = view.option.place.segment
    label = view.pair.label if view.pair else None
    features["section"] = _side_score(scene, target.group, segment, label)
    features["other_section"] = max((_side_score(scene, group, segment, label) for group in others), default=0.0)
    features["own"] = max(features["own"], 0.6 * features.get("named", 0.0))
    total = _labelled(features) + 0.5 * features["section"] - 0.5 * features["other_section"]
    total -= 1.2 * features.get("local", 0.0) * (features["own"] < 0.5)
    digits = sum(map(str.isdigit, view.option.raw)) / max(1, sum(map(str.isalnum, view.option.raw)))
    total -= 0.8 * (digits < 0.5)
    if target.side == "issuer":
        return total + 0.2
    return total - 0.45 * (target.side == "recipient" and features["section"] < 0.3)


def _side_score(scene: Scene, group: str, segment: Segment, label: Label | None) -> float:
    if not group:
        return 0.0
    return 1.0 if named_beside(scene, group, label) else section_score(scene, group, segment)


def _party(view: View) -> float:
    """What a party's name and address share: whose block it is."""
    features, target = view.features, view.target
    get = features.get
    total = 0.45 + 0.6 * (features["fit"] - 0.7) + 0.55 * (get("section", 0.0) - get("other_section", 0.0)) - 0.12 * features["page"]
    total += get("labelled", 0.0) * (0.4 * get("own", 0.0) * (get("section", 0.0) > 0.5) - 0.1)
    window = features["x"] < 0.45 and 0.12 < features["y"] < 0.36
    repeats = get("repeats", 0.0)
    if target.side == "recipient":
        beside = features["x"] >= 0.45 and 0.12 < features["y"] < 0.36
        total += (
            0.25 * window
            + 0.1 * beside
            - 0.35 * get("one_line", 0.0)
            - 0.05 * max(0, min(repeats, 4) - 1)
            - 0.2 * (features["y"] > 0.6)
            + 0.15 * get("person", 0.0)
        )
        return total - 0.3 * get("domain", 0.0) - 0.15 * get("contacts", 0.0) - 0.15 * get("web", 0.0)
    edge = features["y"] < 0.12 or features["y"] > 0.85
    total += 0.25 * get("one_line", 0.0) + 0.08 * min(repeats, 3) + 0.15 * edge + 0.35 * get("domain", 0.0)
    total += 0.1 * get("contacts", 0.0) + 0.2 * get("web", 0.0)
    return total - 0.15 * (window and not get("one_line", 0.0)) - 0.2 * get("person", 0.0)


def _party_name(view: View) -> float:
    features, scene = view.features, view.scene
    get = features.get
    total = _party(view) - 0.5 * (scene.labels.share(view.option.place.segment) > 0.95)
    total += 0.1 * get("legal", 0.0) - 0.25 * get("digits", 0.0) - 0.06 * get("first_line", 0.0)
    total -= 0.35 * get("lower", 0.0) + 0.5 * get("foreign", 0.0)
    return total - 0.08 * (get("lines", 1.0) - 1) + 0.2 * get("legal_second", 0.0) - 0.3 * get("street_name", 0.0)


def _party_address(view: View) -> float:
    get = view.features.get
    total = _party(view) + 0.1 * get("street", 0.0) - 0.3 * get("labelled", 0.0) * (not has_postal(str(view.option.value)))
    return total + 0.2 * get("at_street", 0.0) - 0.25 * get("past_street", 0.0) - 0.3 * get("name_inside", 0.0)


def _merchant_name(view: View) -> float:
    get = view.features.get
    total = 1 - 0.14 * get("first_line", 0.0) - 0.5 * get("stops", 0.0) - 0.25 * get("streets", 0.0) + 0.42 * get("ends_legal", 0.0)
    total += 0.1 * min(get("height", 0.0), 2) - 0.2 * (get("lines", 1.0) - 1) - 0.15 * get("text_before", 0.0)
    total -= 0.6 * get("scribble", 0.0)
    total += -0.2 * get("legal_before", 0.0) + 0.2 * get("letters", 0.0)
    return total + 0.3 * get("ends_at_address", 0.0) - 0.4 * get("in_address", 0.0)


def _merchant_address(view: View) -> float:
    return view.features["line_sum"] - 0.06 * view.features["first_line"]


def _free_text(view: View) -> float:
    features = view.features
    return 1.3 * features["own"] + 0.6 * features["fit"] - 0.3 * max(0.0, features["claim"] - features["own"]) - 0.05 * features["page"]


_SCORES: dict[str, Callable[[View], float]] = {
    "money": _money, "date": _date, "id": _identifier, "choice": _choice, "bool": _tick, "currency": _currency, "iban": _iban,
    "tax_id": _tax_id, "party_name": _party_name, "party_address": _party_address, "merchant_name": _merchant_name,
    "merchant_address": _merchant_address, "quantity": _identifier, "rate": _identifier, "time": _time,
}  # fmt: skip
