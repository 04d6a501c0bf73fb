"""Amounts of money: whole minor units of an ISO 4217 currency, never a float, and never two currencies together."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.refusals import Invalid

#: Every currency in use, and after the point how many digits it has where they are not two.
CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905  # nobody reads a list of 158 strings
)
DIGITS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),  # noqa: SIM905 codes
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),  # noqa: SIM905 codes
    "CLF": 4,
}
#: Larger than any price, and far from the end of 64 bits.
MAX_MINOR: Final = 10**17


@dataclass(frozen=True, slots=True)
class Money:
    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """In the currency itself, with all of its digits: 1250 minor units of EUR are 12.50."""
        return Decimal(self.minor).scaleb(-digits(self.currency))


def of(amount: Decimal, currency: str, path: tuple[str, ...]) -> Money:
    """Refused: a currency that is none, more digits than it has, and less than nothing."""
    if currency not in CURRENCIES:
        raise Invalid(f"{currency!r} is no currency: give its code of ISO 4217, such as EUR.", path, "currency")
    minor = amount.scaleb(digits(currency))
    if minor != minor.to_integral_value():
        raise Invalid(f"{currency} has {digits(currency)} digits after the point.", path, "digits")
    if not 0 <= minor <= MAX_MINOR:
        raise Invalid("This amount is less than nothing, or larger than any price.", path, "range")
    return Money(int(minor), currency)


def digits(currency: str) -> int:
    return DIGITS.get(currency, 2)


def kept(minor: int | None, currency: str | None) -> Money | None:
    """What two columns say; None where nothing is kept."""
    return None if minor is None or currency is None else Money(minor, currency)
