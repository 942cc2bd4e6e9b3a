"""An independent description of the rings, for checking the C++ code and for answering "where does this slot go?".

Written from docs/decisions/0003-base-ring-and-re-deal.md with exact fractions and high-precision logarithms; it shares no code,
table or shortcut with controlplane/table. Standard library only.
"""

from decimal import Decimal, getcontext
from fractions import Fraction
from functools import lru_cache
from math import floor, gcd

NO_SEAT = 0xFFFF
MASK = (1 << 64) - 1
RING_KEY = b"warmswapring v1\0"
RE_DEAL_KEY = b"warmswapre-deal1"


def siphash13(key: bytes, message: bytes) -> int:
    """SipHash-1-3 of Aumasson and Bernstein, as a number."""

    def rotl(x, bits):
        return ((x << bits) | (x >> (64 - bits))) & MASK

    def sip_round(v):
        a, b, c, d = v
        a = (a + b) & MASK
        b = rotl(b, 13) ^ a
        a = rotl(a, 32)
        c = (c + d) & MASK
        d = rotl(d, 16) ^ c
        a = (a + d) & MASK
        d = rotl(d, 21) ^ a
        c = (c + b) & MASK
        b = rotl(b, 17) ^ c
        c = rotl(c, 32)
        return [a, b, c, d]

    k0 = int.from_bytes(key[:8], "little")
    k1 = int.from_bytes(key[8:], "little")
    v = [
        k0 ^ int.from_bytes(b"somepseu", "big"),
        k1 ^ int.from_bytes(b"dorandom", "big"),
        k0 ^ int.from_bytes(b"lygenera", "big"),
        k1 ^ int.from_bytes(b"tedbytes", "big"),
    ]
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        v = sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(3):
        v = sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def shares(total, weights, ties):
    """Largest remainder: name -> slots. `weights` and `ties` are dictionaries over the same names."""
    whole = sum(weights.values())
    if whole == 0:
        return {name: 0 for name in weights}
    exact = {name: Fraction(total * weight, whole) for name, weight in weights.items()}
    result = {name: floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (result[name] - exact[name], ties[name]))
    for name in by_remainder[: total - sum(result.values())]:
        result[name] += 1
    return result


def base_ring(size, weights):
    """slot -> name or None, for a dictionary name -> weight."""
    whole = sum(weights.values())
    if whole == 0:
        return [None] * size
    names = sorted(weights, key=str.encode)
    quota = shares(size, weights, {name: rank for rank, name in enumerate(names)})
    turns = []
    for rank, name in enumerate(names):
        for k in range(quota[name]):
            time = floor(Fraction((2 * k + 1) * whole, 2 * weights[name]))
            turns.append((min(time, size - 1), rank, k))
    walks = {name: preference_list(name, size) for name in names}
    ring = [None] * size
    for _, rank, _ in sorted(turns):
        for slot in walks[names[rank]]:
            if ring[slot] is None:
                ring[slot] = names[rank]
                break
    return ring


def preference_list(name, size):
    """The slots in the order `name` wants them; a generator, so that a walk goes on where it stopped."""
    value = siphash13(RING_KEY, name.encode())
    offset = (value >> 32) * size >> 32
    skip = 1 + ((value & 0xFFFFFFFF) * (size - 1) >> 32)
    while gcd(skip, size) != 1:
        skip += 1
    for step in range(size):
        yield (offset + step * skip) % size


@lru_cache(maxsize=None)
def seat_seed(name):
    return siphash13(RE_DEAL_KEY, name.encode())


@lru_cache(maxsize=None)
def slot_seed(slot):
    return siphash13(RE_DEAL_KEY, slot.to_bytes(4, "little"))


def draw(one, other):
    x = one ^ other
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


@lru_cache(maxsize=None)
def log2_point(i):
    """floor(2^32 * log2(1 + i/1024)), from a logarithm to 60 digits."""
    getcontext().prec = 60
    return int((Decimal(1024 + i) / 1024).ln() / Decimal(2).ln() * 2**32 + Decimal("1e-40"))


def cost(u):
    """-log2(u / 2^64) in 2^-32: exact at 1024 points of each octave, linear between them."""
    u = max(u, 1)
    octave = u.bit_length() - 1
    position = Fraction(u, 1 << octave) - 1
    point = floor(position * 1024)
    between = floor((position * 1024 - point) * 2**32)
    rise = log2_point(point + 1) - log2_point(point)
    return (64 - octave) * 2**32 - log2_point(point) - floor(Fraction(rise * between, 2**32))


def winner(slot, weights):
    """Weighted rendezvous: the smallest cost / weight, then the larger draw, then the first name; None without candidates."""
    best = None
    for name in sorted(weights, key=str.encode):
        if weights[name] == 0:
            continue
        u = draw(seat_seed(name), slot_seed(slot))
        value = (Fraction(cost(u), weights[name]), -u)
        if best is None or value < best[0]:
            best = (value, name)
    return best[1] if best else None


def re_deal(ring, weights, dead):
    """The ring after the failure of the names in `dead`."""
    live = {name: weight for name, weight in weights.items() if name not in dead}
    result = list(ring)
    for name in dead:
        slots = [slot for slot, owner in enumerate(ring) if owner == name]
        others = {other: weight for other, weight in weights.items() if other != name}
        quota = shares(len(slots), others, {other: draw(seat_seed(other), seat_seed(name)) for other in others})
        for slot in slots:
            heir = winner(slot, {other: weights[other] for other in others if quota[other] > 0})
            if heir is not None:
                quota[heir] -= 1
            result[slot] = heir if heir in live else winner(slot, live)
    return result
