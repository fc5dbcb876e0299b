"""Scores: how likely an option is a field's value, from its label, its form and what its kind adds. Knows every weight; reads no text anew.

A score of 0 is as likely right as wrong; what lies below is handed on only for a rule of the schema to lift.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from docpipe.extract.labels.label import NOBODY, Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.lexicon import TOTAL_WORD, has_postal
from docpipe.extract.labels.pairing import Pair
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.extract.labels.sections import named_beside, section_score
from docpipe.extract.labels.weights import (
    CHOICE,
    CURRENCY,
    DATE,
    FREE_TEXT,
    GROUPED,
    IBAN,
    IDENTIFIER,
    ISSUER,
    MERCHANT_ADDRESS,
    MERCHANT_NAME,
    MONEY,
    PARTY,
    PARTY_ADDRESS,
    PARTY_NAME,
    RECIPIENT,
    TAX_ID,
    TICK,
    TIME,
    WEIGHTS,
    ZERO,
)
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
    if target.group and not target.is_party and target.kind != "tax_id":
        label = own.label.segment if own else option.place.segment
        groups = {other.group for other in scene.targets if other.group and other.group != target.group}
        features["section"] = section_score(scene, target.group, label)
        features["other_section"] = max((section_score(scene, group, label) for group in groups), default=0.0)
    view = View(scene, target, option, features, own)
    grouped = 0.0 if target.is_party or target.kind == "tax_id" else _linear(features, GROUPED)
    return Scored(option, _SCORES.get(_scorer(target), _free_text)(view) + grouped - _zero(target), own, features)


def _zero(target: Target) -> float:
    """The raw score that stands for even odds. A document has its own date and, where the schema demands it, a total: less will do."""
    if target.kind == "date" and target.bare_date:
        return -0.6
    if target.kind == "money" and target.spec.required:
        return -0.2
    return ZERO.get(_scorer(target), 0.5)


def _scorer(target: Target) -> str:
    if not target.is_party:
        return target.kind
    return f"{'merchant' if target.side == 'merchant' else 'party'}_{target.kind}"


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
    """What a label and the form of the text give, less what other labels claim."""
    own = max(features["own"], WEIGHTS.ally * features.get("ally", 0.0))
    return WEIGHTS.own * own + WEIGHTS.fit * features["fit"] - WEIGHTS.claim * max(0.0, features["claim"] - features["own"])


def _linear(features: Features, table: Mapping[str, float]) -> float:
    """The features by their weights; a feature that is not there counts nothing."""
    return table.get("constant", 0.0) + sum(weight * features.get(name, 0.0) for name, weight in table.items())


def _money(view: View) -> float:
    features, scene = view.features, view.scene
    segment, key = view.option.place.segment, (view.option.place.segment, view.option.place.start)
    words = set(name_words(view.target.spec.name))
    value = Decimal(str(view.option.value))
    row = " ".join(other.text for other in scene.page(segment).lines[segment.line])
    labelled, header_only = features["own"] > 0.2, features["below"] == features["own"]
    features.update(
        column_sum=float(key in scene.columns.sums),
        column_last=float(key in scene.columns.last),
        column_followed=float(key in scene.columns.followed),
        largest=float(value == scene.largest),
        places=float(min(scene.money_counts[value], 6)),
        few_places=float(min(scene.money_counts[value], 3)),
        zero=float(value == 0 and "tax" not in words),
        zero_required=float(value == 0 and view.target.spec.required),
        total_row=float(bool(TOTAL_WORD.search(row))),
        unlabelled=float(features["own"] < 0.1),
    )
    features["labelled_sum"] = features["column_sum"] * labelled
    features["header_followed"] = features["column_followed"] * header_only * bool(words & _TOTALS)
    features["header_total_row"] = features["total_row"] * (features["below"] > 0.2)
    features["whole_total_row"] = features["total_row"] * bool(words & {"gross", "total"})
    return _labelled(features) + _linear(features, MONEY)


def _date(view: View) -> float:
    features, target = view.features, view.target
    role, alone = features["role"], features["own"] < 0.1
    features["role_fits"] = role if target.role == "start" else -role if target.role == "end" else 0.0
    features["role_unasked"] = 0.0 if target.role else abs(role)
    features["slash_role"] = features["slash"] * bool(target.role)
    features["own_place_date"] = features["place_date"] * target.bare_date
    features["places"] = float(min(6, view.scene.day_counts[str(view.option.value)]))
    features.update(
        alone_bare=float(alone and target.bare_date), alone=float(alone and not target.bare_date), alone_low=alone * features["y"]
    )
    features["alone_page"] = alone * features["page"]
    return _labelled(features) + _linear(features, DATE)


def _time(view: View) -> float:
    features = view.features
    features["unlabelled"] = float(features["own"] < 0.1)
    return _labelled(features) + _linear(features, TIME)


def _identifier(view: View) -> float:
    features = view.features
    features["places"] = float(min(3, view.scene.whole_text.count(view.option.raw)))
    features["unlabelled"] = float(features["own"] < 0.1)
    return _labelled(features) + _linear(features, IDENTIFIER)


def _choice(view: View) -> float:
    return _linear(view.features, CHOICE)


def _tick(view: View) -> float:
    return _linear(view.features, TICK)


def _currency(view: View) -> float:
    return _linear(view.features, CURRENCY)


def _iban(view: View) -> float:
    return _labelled(view.features) + _linear(view.features, IBAN)


def _tax_id(view: View) -> float:
    features, scene, target, raw = view.features, view.scene, view.target, view.option.raw
    others = {other.group for other in scene.targets if other.kind == "tax_id" and other.group != target.group}
    segment, label = view.option.place.segment, view.pair.label if view.pair else None
    features["section"] = _side_score(scene, target.group, segment, label)
    features["other_section"] = max((_side_score(scene, group, segment, label) for group in others), default=0.0)
    features["own"] = max(features["own"], WEIGHTS.tax_word * features.get("named", 0.0))
    features["local_unlabelled"] = features.get("local", 0.0) * (features["own"] < 0.5)
    features["lettered"] = float(sum(map(str.isdigit, raw)) < 0.5 * sum(map(str.isalnum, raw)))
    features["issuer"] = float(target.side == "issuer")
    features["recipient_unnamed"] = float(target.side == "recipient" and features["section"] < 0.3)
    return _labelled(features) + _linear(features, TAX_ID)


def _side_score(scene: Scene, group: str, segment: Segment, label: Label | None) -> float:
    if not group:
        return 0.0
    return 1.0 if named_beside(scene, group, label) else section_score(scene, group, segment)


def _party(view: View) -> float:
    """What a party's name and address share: whose block it is."""
    features, target = view.features, view.target
    get, upper = features.get, 0.12 < features["y"] < 0.36
    features["labelled_own"] = get("labelled", 0.0) * get("own", 0.0) * (get("section", 0.0) > 0.5)
    features["window"] = float(upper and features["x"] < 0.45)  # where an envelope shows the addressee
    features["beside_window"] = float(upper and features["x"] >= 0.45)
    features["window_block"] = features["window"] * (1.0 - get("one_line", 0.0))
    features["edge"] = float(features["y"] < 0.12 or features["y"] > 0.85)
    features["low"] = float(features["y"] > 0.6)
    features["repeats_few"], features["repeated"] = min(get("repeats", 0.0), 3), max(0.0, min(get("repeats", 0.0), 4) - 1)
    features["person_first"] = get("person", 0.0) * (get("first_line", 0.0) == 0)
    features["person_later"] = get("person", 0.0) * (get("first_line", 0.0) > 0)
    return _linear(features, PARTY) + _linear(features, RECIPIENT if target.side == "recipient" else ISSUER)


def _party_name(view: View) -> float:
    features = view.features
    features["is_label"] = float(view.scene.labels.share(view.option.place.segment) > 0.95)
    features["more_lines"] = features.get("lines", 1.0) - 1
    return _party(view) + _linear(features, PARTY_NAME)


def _party_address(view: View) -> float:
    features = view.features
    features["labelled_part"] = features.get("labelled", 0.0) * (not has_postal(str(view.option.value)))
    return _party(view) + _linear(features, PARTY_ADDRESS)


def _merchant_name(view: View) -> float:
    features = view.features
    features["more_lines"] = features.get("lines", 1.0) - 1
    return _linear(features, MERCHANT_NAME)


def _merchant_address(view: View) -> float:
    return _linear(view.features, MERCHANT_ADDRESS)


def _free_text(view: View) -> float:
    features = view.features
    features["contested"] = max(0.0, features["claim"] - features["own"])
    return _linear(features, FREE_TEXT)


_SCORES: dict[str, Callable[[View], float]] = {
    "money": _money, "date": _date, "id": _identifier, "choice": _choice, "bool": _tick, "currency": _currency, "iban": _iban,
    "tax_id": _tax_id, "party_name": _party_name, "party_address": _party_address, "merchant_name": _merchant_name,
    "merchant_address": _merchant_address, "quantity": _identifier, "rate": _identifier, "time": _time,
}  # fmt: skip
