"""Names and prices that a realistic account is made of: projects, users, machine types, regions.

Stands at the start of the sandbox's fleet: `markets`, `orders` and `special` choose from it.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from mithril_elt.sandbox.account import InstanceType, Project

__all__ = ["GONE", "REGIONS", "TRADED", "Offer", "instance_types", "new_fid", "projects", "stream", "users"]

REGIONS = ("us-central1-a", "us-central2-a", "us-central5-a", "us-east1-a", "eu-central1-b", "me-central1-a")

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Offer(NamedTuple):
    """A type that is traded in some regions, and its usual spot price in cents for one instance-hour."""

    key: str
    name: str
    num_gpus: int
    usual_price_cents: int
    regions: tuple[str, ...]


# `key` tells apart the two types of one name. The first is the market that `special` writes a script for.
TRADED = (
    Offer("h100", "h100-80gb.sxm.8x", 8, 1_600, ("us-central1-a", "eu-central1-b")),
    Offer("h100-new", "h100-80gb.sxm.8x", 8, 1_750, ("us-central5-a", "us-east1-a")),
    Offer("a100-1", "a100-80gb.sxm.1x", 1, 110, ("us-central2-a",)),
    Offer("a100-2", "a100-80gb.sxm.2x", 2, 220, ("us-central2-a",)),
    Offer("a100-4", "a100-80gb.sxm.4x", 4, 440, ("me-central1-a",)),
    Offer("a100-8", "a100-80gb.sxm.8x", 8, 880, ("us-central2-a", "me-central1-a")),
    Offer("h200", "h200.8x", 8, 2_100, ("us-central1-a",)),
    Offer("b200-1", "b200-192gb.1x", 1, 450, ("us-east1-a",)),
    Offer("b200-2", "b200-192gb.2x", 2, 900, ("us-east1-a",)),
    Offer("b200-4", "b200-192gb.4x", 4, 1_800, ("us-east1-a",)),
    Offer("b200-8", "b200-192gb.8x", 8, 3_600, ("us-east1-a",)),
)
GONE = Offer("gone", "h100-80gb.sxm.4x", 4, 800, ("us-central2-a",))


def stream(seed: int, *path: object) -> Random:
    """A random stream of its own for each part of the account, so that no part shifts another."""
    return Random("/".join(str(part) for part in (seed, *path)))


def new_fid(random: Random, prefix: str) -> str:
    """An id as the API makes them: `inst_` and 16 letters or digits."""
    return prefix + "".join(random.choices(_ALPHABET, k=16))


def projects(seed: int, created_at_us: int) -> list[Project]:
    """The two projects that the key sees."""
    random = stream(seed, "projects")
    return [Project(new_fid(random, "proj_"), name, created_at_us) for name in ("research", "serving")]


def users(seed: int) -> list[str]:
    """The fids of the people who order machines."""
    random = stream(seed, "users")
    return [new_fid(random, "user_") for _ in range(6)]


def instance_types(seed: int) -> dict[str, InstanceType]:
    """Every type by its key: those traded, the CPU machine (`cpu`), and the one the list has no more (`gone`)."""
    random = stream(seed, "types")
    types = {offer.key: InstanceType(new_fid(random, "it_"), offer.name, offer.num_gpus) for offer in TRADED}
    types["cpu"] = InstanceType(new_fid(random, "it_"), "cpu.16x", 0)
    types[GONE.key] = InstanceType(new_fid(random, "it_"), GONE.name, GONE.num_gpus, listed=False)
    return types
