"""XXH64 (Collet, xxHash fast digest algorithm, specification 0.1.1), as Spark's `xxhash64` hashes a text.

A look-up hashes one id: a package for it would save nothing.
"""

MASK = 2**64 - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
SPARK_SEED = 42


def xxhash64(content: bytes, seed: int = SPARK_SEED) -> int:
    """The hash as a number without sign; Spark shows the same 64 bits with one."""
    done = len(content) - len(content) % 32
    if done:
        lanes = [(seed + start) & MASK for start in (P1 + P2, P2, 0, -P1)]
        for at in range(0, done, 32):
            words = (_word(content, at + 8 * lane, 8) for lane in range(4))
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
        state = sum(_turned(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & MASK
        for lane in lanes:
            state = ((state ^ _round(0, lane)) * P1 + P4) & MASK
    else:
        state = (seed + P5) & MASK
    return _mixed(_with_rest((state + len(content)) & MASK, content[done:]))


def _with_rest(state: int, rest: bytes) -> int:
    """The state with the bytes that fill no stripe of 32: words of eight, one of four, then single ones."""
    eights = len(rest) - len(rest) % 8
    for at in range(0, eights, 8):
        state = (_turned(state ^ _round(0, _word(rest, at, 8)), 27) * P1 + P4) & MASK
    rest = rest[eights:]
    if len(rest) >= 4:
        state = (_turned(state ^ (_word(rest, 0, 4) * P1 & MASK), 23) * P2 + P3) & MASK
        rest = rest[4:]
    for byte in rest:
        state = _turned(state ^ (byte * P5 & MASK), 11) * P1 & MASK
    return state


def _mixed(state: int) -> int:
    state = (state ^ state >> 33) * P2 & MASK
    state = (state ^ state >> 29) * P3 & MASK
    return state ^ state >> 32


def _round(lane: int, word: int) -> int:
    return _turned((lane + word * P2) & MASK, 31) * P1 & MASK


def _turned(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & MASK


def _word(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")
