"""What a recording is, read from its header: encoding, sample rate, channels, length.

WAV (uncompressed), FLAC (https://xiph.org/flac/format.html) and Opus in Ogg (RFC 7845), which is what Google's service
recognises without further options.
"""

import io
import struct
import wave
from dataclasses import dataclass

SHORTEST_RATE, LONGEST_RATE = 8_000, 48_000
OPUS_RATE = 48_000  # its positions count samples at this rate, whatever the original's was
ENDLESS = (
    0x7FFF_0000  # programs that write to a pipe don't know the length and write one of these or more bytes
)
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


class Unusable(ValueError):
    """A recording that the service would not recognise; its text is the reason."""


@dataclass(frozen=True)
class Sound:
    """`encoding` as Google names it, samples a second, channels, and how long it lasts."""

    encoding: str
    rate: int
    channels: int
    milliseconds: int


def read_sound(content: bytes) -> Sound:
    """What a recording is.  Raises Unusable where it is empty, damaged, or of a kind that the service does not take."""
    if not content:
        raise Unusable("it is empty")
    if content[:4] == b"RIFF":
        found = _wav(content)
    elif content[:4] == b"fLaC":
        found = _flac(content)
    elif content[:4] == b"OggS":
        found = _ogg(content)
    else:
        raise Unusable("it is neither WAV nor FLAC nor Ogg; convert it to one of them")
    if not SHORTEST_RATE <= found.rate <= LONGEST_RATE:
        raise Unusable(
            f"its sample rate is {found.rate} Hz; {SHORTEST_RATE} to {LONGEST_RATE} are recognised"
        )
    if found.milliseconds <= 0:
        raise Unusable("it holds no sound")
    return found


def _wav(content: bytes) -> Sound:
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, channels, width, declared = (
                file.getframerate(),
                file.getnchannels(),
                file.getsampwidth(),
                file.getnframes(),
            )
            there = len(file.readframes(declared)) // (width * channels)
    except (wave.Error, EOFError, ZeroDivisionError, struct.error) as error:
        raise Unusable(f"it is not a whole WAV file of uncompressed sound ({error})") from None
    if width != 2:
        raise Unusable(f"its samples have {8 * width} bits; 16 are recognised")
    if there < declared and declared * width * channels < ENDLESS:
        raise Unusable(f"it is cut off: {there} of {declared} samples are there")
    return Sound("LINEAR16", rate, channels, there * 1000 // rate if rate else 0)


def _flac(content: bytes) -> Sound:
    # 4 bytes of name, 4 of the block's head, then STREAMINFO: from its 11th byte on 20 bits of rate, 3 of channels - 1,
    # 5 of bits - 1, 36 of samples.
    if len(content) < 42 or content[4] & 0x7F != 0:
        raise Unusable("it is not a whole FLAC file")
    packed = int.from_bytes(content[18:26], "big")
    rate, channels, samples = packed >> 44, (packed >> 41 & 0b111) + 1, packed & (2**36 - 1)
    if not rate:
        raise Unusable("it is not a whole FLAC file")
    return Sound("FLAC", rate, channels, samples * 1000 // rate)


def _ogg(content: bytes) -> Sound:
    at = content.find(b"OpusHead", 0, 128)
    last = content.rfind(b"OggS")
    if at < 0 or len(content) < max(at + 19, last + 14):
        raise Unusable("it is not a whole Ogg file with Opus sound")
    channels, skip, rate = struct.unpack_from("<BHI", content, at + 9)
    (position,) = struct.unpack_from("<q", content, last + 6)
    # The rate before encoding; Opus itself, and the service, know these only.
    rate = rate if rate in OPUS_RATES else OPUS_RATE
    return Sound("OGG_OPUS", rate, channels, max(position - skip, 0) * 1000 // OPUS_RATE)
