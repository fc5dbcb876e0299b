"""Does quantity x unit price give the amount? Knows the usual forms of that relation and how rounding hides them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

HALF_CENT = Decimal("0.0055")
ONE = Decimal(1)
HUNDRED = Decimal(100)
# Rates that value added and sales taxes have had in the last decades, whole and broken ones.
_RATES = "0|2.1|2.5|2.6|3|3.7|3.8|4|4.8|5|5.5|6|7|7.7|8|8.1|8.5|9|9.5|10|12|13|13.5|14|14.5|15|16|17|18|19|20|21|22|23|24|25|25.5|27"
RATES = frozenset(map(Decimal, _RATES.split("|")))
EXACT = frozenset({"q*p", "|q*p|", "q*p*(1-d)", "q*p-d", "q*p*(1+r)"})


def product_rule(
    quantity: Decimal | None,
    price: Decimal | None,
    amount: Decimal | None,
    discount: Decimal | None = None,
    rate: Decimal | None = None,
) -> str | None:
    """The name of the first form that holds, None where none does. A trailing `~`: only within what the price's rounding explains."""
    if amount is None or price is None:
        return None
    count = ONE if quantity is None else quantity
    product = count * price
    slack = _slack(count, price, amount)
    if abs(product - amount) <= HALF_CENT:
        return "q*p"
    if abs(product - amount) <= slack:
        return "q*p~"
    if abs(abs(product) - abs(amount)) <= HALF_CENT:
        return "|q*p|"
    if discount is not None and (found := _discounted(product, discount, amount, slack)):
        return found
    if rate is not None and rate > 0 and abs(product * (HUNDRED + rate) / HUNDRED - amount) <= 2 * HALF_CENT:
        return "q*p*(1+r)"
    return None


def is_tax(amount: Decimal, above: Decimal, rates: Sequence[Decimal] = ()) -> bool:
    """The amount is what one of the rates (of the usual ones, where none is given) takes of what is above it."""
    return above != 0 and amount != 0 and any(rate and abs(above * rate / HUNDRED - amount) <= 2 * HALF_CENT for rate in rates or RATES)


def _slack(count: Decimal, price: Decimal, amount: Decimal) -> Decimal:
    """Half a cent and, for a price with cents, half a unit of its last place for each piece; at most one percent of the amount."""
    exponent = price.as_tuple().exponent
    places = exponent if isinstance(exponent, int) else 0
    slack = HALF_CENT + (abs(count) * Decimal(1).scaleb(places) / 2 if places <= -2 else 0)
    return min(slack, max(HALF_CENT, abs(amount) * Decimal("0.01")))


def _discounted(product: Decimal, discount: Decimal, amount: Decimal, slack: Decimal) -> str | None:
    if abs(product * (HUNDRED - abs(discount)) / HUNDRED - amount) <= slack:
        return "q*p*(1-d)"
    return "q*p-d" if abs(product - abs(discount) - amount) <= HALF_CENT else None
