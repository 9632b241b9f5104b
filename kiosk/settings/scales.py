"""The shape of ``[bin.scale]``: one type a kind of scale."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from kiosk.settings.parts import Baud, Grams, Part, Pin, Text

if TYPE_CHECKING:
    from drivers.indicator_modbus import Registers

REQUEST = r"\A[\x01-\x7f]{1,32}\Z"

Protocol = Literal[
    "ad",
    "dini",
    "cas",
    "sma",
    "sics",
    "shinko",
    "sartorius",
    "kern",
    "ohaus",
    "generic",
    "modbus",
]
Unit = Literal["kg", "g", "lb", "t"]
Register = Annotated[int, Meta(ge=0, le=65535)]
Bit = Annotated[int, Meta(ge=0, le=15)]
Bits = Annotated[tuple[Bit, ...], Meta(max_length=16)]


class Scale(Part, frozen=True, kw_only=True, tag_field="kind"):
    """What every scale has. ``min_increment_g`` None: one division."""

    max_g: Grams
    division_g: Grams
    min_increment_g: Grams | None = None
    adjustment: Annotated[int, Meta(ge=0, le=1_000_000)] = 1

    @property
    def effective_min_increment_g(self) -> int:
        return self.division_g if self.min_increment_g is None else self.min_increment_g


class CountsScale(Scale, frozen=True, kw_only=True):
    """Load cells on an HX711, however it is read; an estimate, never certified."""

    counts_per_gram: float
    zero_counts: Annotated[int, Meta(ge=-(2**23), le=2**23 - 1)]
    rate_sps: Literal[10, 80] = 10
    gain: Literal[32, 64, 128] = 128


class Hx711Scale(CountsScale, frozen=True, kw_only=True, tag="hx711"):
    """At two GPIO lines; bins with the same ``sck_pin`` are read in one frame."""

    dout_pin: Pin
    sck_pin: Pin


class Hx711SpiScale(CountsScale, frozen=True, kw_only=True, tag="hx711-spi"):
    """At MOSI (its clock) and MISO (its data) of an SPI port, ``/dev/spidevBUS.DEVICE``."""

    bus: Annotated[int, Meta(ge=0, le=6)] = 0
    device: Annotated[int, Meta(ge=0, le=2)] = 0


class Hx711IioScale(CountsScale, frozen=True, kw_only=True, tag="hx711-iio"):
    """Behind the kernel's driver: ``device`` its label in the device tree, or its sysfs folder.

    The driver looks for a conversion every 10 ms, too seldom for 80 of them a second.
    """

    device: Text
    rate_sps: Literal[10] = 10


class Modbus(Part, frozen=True, kw_only=True):
    """Where a load-cell transmitter says what; the defaults are Laumas's TLB."""

    unit_id: Annotated[int, Meta(ge=1, le=247)] = 1
    function: Literal[3, 4] = 3
    weight: Register = 7
    weight_type: Literal["u16", "i16", "u32", "i32", "f32"] = "u32"
    low_word_first: bool = False
    decimals: Annotated[int, Meta(ge=0, le=6)]
    unit: Unit = "kg"
    status: Register | Literal["none"] = 6
    stable_bit: Bit = 11
    negative_bit: Bit | Literal["none"] = 7
    overload_bits: Bits = (2, 3, 4)
    underload_bits: Bits = ()
    error_bits: Bits = (0, 1)

    def registers(self) -> Registers:
        """The part that the driver reads."""
        from drivers.indicator_modbus import Registers

        return Registers(
            unit_id=self.unit_id,
            function=self.function,
            weight=self.weight,
            weight_type=self.weight_type,
            low_word_first=self.low_word_first,
            decimals=self.decimals,
            unit=self.unit,
            status=None if self.status == "none" else self.status,
            stable_bit=self.stable_bit,
            negative_bit=None if self.negative_bit == "none" else self.negative_bit,
            overload_bits=self.overload_bits,
            underload_bits=self.underload_bits,
            error_bits=self.error_bits,
        )


class IndicatorScale(Scale, frozen=True, kw_only=True, tag="indicator"):
    """A weighing indicator on a serial port; certified where seal and date are given."""

    port: Text
    protocol: Protocol = "ad"
    baud: Baud = 2400
    bytesize: Literal[7, 8] = 7
    parity: Literal["N", "E", "O"] = "E"
    stopbits: Literal[1, 2] = 1
    stream: bool = True
    request: Annotated[str, Meta(pattern=REQUEST)] | None = None
    poll_ms: Annotated[int, Meta(ge=50, le=10_000)] = 200
    rate_sps: Annotated[float, Meta(ge=0.1, le=100)] = 10.0
    unit: Unit | None = None
    column: Annotated[int, Meta(ge=1, le=8)] | None = None
    stable: Literal["said", "unless_moving"] = "said"
    modbus: Modbus | None = None
    zeroes_itself: bool = True
    seal_number: Text | None = None
    valid_until: date | None = None
    min_g: Grams | None = None


SAYS_GROSS: frozenset[Protocol] = frozenset({"ad", "dini", "cas", "sma", "modbus"})
"""Whose telegrams can say that they are gross; only those that do make certified weights."""

AnyScale = Hx711Scale | Hx711SpiScale | Hx711IioScale | IndicatorScale
