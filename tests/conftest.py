"""Options of all tests: how often stories are checkpointed, and the seed of what is random."""

import pytest

PLACES = ("never", "points", "every-syscall")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cr",
        choices=PLACES,
        default="points",
        help="where stories are checkpointed, rebooted and restarted (default: points)",
    )
    parser.addoption(
        "--law-seed", type=int, default=1, help="the seed of seeded tests (default: 1)"
    )


def pytest_report_header(config: pytest.Config) -> str:
    return f"linux-cr: --cr={config.getoption('cr')} --law-seed={config.getoption('law_seed')}"


@pytest.fixture(scope="session")
def cr_places(request: pytest.FixtureRequest) -> str:
    """never, points, or every-syscall."""
    return str(request.config.getoption("cr"))


@pytest.fixture(scope="session")
def law_seed(request: pytest.FixtureRequest) -> int:
    """What every seeded test begins with."""
    seed = int(request.config.getoption("law_seed"))
    print(f"seed {seed}")
    return seed
