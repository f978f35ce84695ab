"""What is unknown is named with the nearest that exists."""

import pytest

from breakout.settings import Settings
from tests.breakout.cli.conftest import Breakout
from tests.breakout.cli.seed import seed


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["tops"], "No such command 'tops'. Did you mean \"top\"?"),
        (["migrations"], "No such command 'migrations'. Did you mean \"migrate\"?"),
        (["baseline", "freez"], "No such command 'freez'. Did you mean \"freeze\"?"),
        (["backfill", "hubstats"], "No such command 'hubstats'. Did you mean \"hub-stats\"?"),
        (["api", "keys"], "No such command 'keys'. Did you mean \"key\"?"),
        (["xyzzy"], "No such command 'xyzzy'."),
        (["top", "--limt", "3"], "No such option: --limt"),
        (["chart", "ram_curve"], 'Unknown chart "ram_curve". Did you mean "ram_curves"?'),
        (
            ["chart", "ram_curves", "--set", "model=x"],
            'Unknown parameter of ram_curves "model". Did you mean "models"?',
        ),
    ],
)
def test_unknown_word_is_wrong_usage(breakout: Breakout, arguments: list[str], meant: str) -> None:
    shown = breakout(*arguments)
    assert shown.returncode == 2
    assert meant in shown.stderr


def test_option_is_named_too(breakout: Breakout) -> None:
    assert "--limit" in breakout("top", "--limt", "3").stderr


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (
            ["--model", "acme/rocket-30b"],
            'model: Unknown model "acme/rocket-30b". Did you mean "acme/Rocket-30B"?',
        ),
        (["--org", "Acme"], 'org: Unknown organisation "Acme". Did you mean "acme"?'),
        (["--baseline", "live-fixd"], 'Did you mean "live" or "live_fixed"? Choose one of: live, '),
    ],
)
def test_unknown_name_is_wrong_usage(
    breakout: Breakout, settings: Settings, arguments: list[str], meant: str
) -> None:
    seed(settings)
    shown = breakout("top", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert meant in shown.stderr
