"""Laws of checkpoint and restart under bad images: cut, flipped, changed on purpose.

Every input is refused with an ImageError and the kernel is as it was; or it is restarted, and the
kernel has a dump, can be checkpointed or says why not, runs on, and gives back all that the
restart took when its tasks are killed.
"""

from random import Random

import pytest

from guests.stories import ARCHES
from tests.harness.hostile import SLOWEST_S, Anvil, names_of, specimen, strike_all
from tests.harness.mutation import changed_fields, cuts, flips

FLIPS, CHANGES, NIGHTLY_FACTOR = 10_000, 3_000, 20
WHOLE_LIMIT_BYTES = 64 << 10
CUT_AT_EVERY_BYTE = ("signals/queue",)
CUT_AT_EDGES = (
    "files/pipe",
    "files/unlinked",
    "memory/shared_anonymous",
    "processes/fork_wait",
    "sockets/pass_fds",
    "sockets/tcp_talk",
)

EVERYTHING = [(name, arch) for arch in ARCHES for name in names_of(arch)]
each = pytest.mark.parametrize(("name", "arch"), EVERYTHING)


def share(total: int) -> int:
    return -(-total // len(EVERYTHING))


@each
def test_unharmed(name: str, arch: str) -> None:
    anvil = Anvil(specimen(name, arch))
    assert anvil.strike(specimen(name, arch).image) is None
    anvil.close()


@pytest.mark.slow
@pytest.mark.parametrize("page_step", [16, pytest.param(1, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("name", CUT_AT_EVERY_BYTE)
def test_cut_at_every_byte(name: str, arch: str, page_step: int, law_seed: int) -> None:
    """Every byte of every record; of what pages hold, every 16th, and every one at night."""
    whole = specimen(name, arch)
    assert len(whole.image) <= WHOLE_LIMIT_BYTES
    inputs = cuts(whole, Random(law_seed), WHOLE_LIMIT_BYTES, page_step)
    anvil = strike_all(whole, inputs, watchful=False)
    assert anvil.accepted == 0 and anvil.refused > 5000
    assert anvil.refused == len(whole.image) or page_step > 1
    assert anvil.slowest_s < SLOWEST_S


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("name", CUT_AT_EDGES)
def test_cut_at_edges_and_seeded_places(name: str, arch: str, law_seed: int) -> None:
    whole = specimen(name, arch)
    anvil = strike_all(whole, cuts(whole, Random(f"{law_seed} {name} {arch}"), 0))
    assert anvil.accepted == 0 and anvil.refused >= len(whole.edges) - 1
    assert anvil.slowest_s < SLOWEST_S


@pytest.mark.slow
@each
def test_flipped_bits(name: str, arch: str, law_seed: int) -> None:
    random = Random(f"flips {law_seed} {name} {arch}")
    anvil = strike_all(specimen(name, arch), flips(specimen(name, arch), random, share(FLIPS)))
    assert anvil.accepted + anvil.refused == share(FLIPS)
    assert anvil.slowest_s < SLOWEST_S


@pytest.mark.slow
@each
def test_changed_fields(name: str, arch: str, law_seed: int) -> None:
    random = Random(f"fields {law_seed} {name} {arch}")
    inputs = changed_fields(specimen(name, arch), random, share(CHANGES))
    anvil = strike_all(specimen(name, arch), inputs)
    assert anvil.accepted + anvil.refused == share(CHANGES)
    assert anvil.slowest_s < SLOWEST_S


@pytest.mark.nightly
@each
def test_changed_fields_for_long(name: str, arch: str, law_seed: int) -> None:
    random = Random(f"long {law_seed} {name} {arch}")
    count = NIGHTLY_FACTOR * share(CHANGES)
    strike_all(specimen(name, arch), changed_fields(specimen(name, arch), random, count))
    strike_all(specimen(name, arch), flips(specimen(name, arch), random, count))
