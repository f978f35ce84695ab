"""Where redirects lead: what counts as this machine and its network, in every spelling."""

import pytest

from collectors.http.redirects import Place, Redirects, place_of


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("93.184.216.34", Place.OUTSIDE),
        ("2606:2800:220:1::1", Place.OUTSIDE),
        ("127.0.0.1", Place.MACHINE),
        ("127.8.8.8", Place.MACHINE),
        ("0.0.0.0", Place.MACHINE),
        ("::1", Place.MACHINE),
        ("::", Place.MACHINE),
        ("::ffff:127.0.0.1", Place.MACHINE),
        ("64:ff9b::7f00:1", Place.MACHINE),
        ("2002:7f00:1::", Place.MACHINE),
        ("169.254.169.254", Place.LINK_LOCAL),
        ("fe80::1", Place.LINK_LOCAL),
        ("10.0.0.1", Place.NETWORK),
        ("172.16.0.1", Place.NETWORK),
        ("192.168.1.1", Place.NETWORK),
        ("100.64.0.1", Place.NETWORK),
        ("fd00::1", Place.NETWORK),
        ("::ffff:10.0.0.1", Place.NETWORK),
        ("224.0.0.1", Place.NETWORK),
        ("255.255.255.255", Place.NETWORK),
    ],
)
def test_place_of_an_address(address: str, place: Place) -> None:
    assert place_of(address) is place


@pytest.mark.parametrize(
    ("source", "target", "refused"),
    [
        ("93.184.216.34", "93.184.216.35", False),
        ("93.184.216.34", "127.0.0.1", True),
        ("93.184.216.34", "localhost", True),
        ("93.184.216.34", "2130706433", True),
        ("93.184.216.34", "0x7f.1", True),
        ("93.184.216.34", "::1", True),
        ("93.184.216.34", "10.0.0.1", True),
        ("127.0.0.1", "localhost", False),
        ("127.0.0.1", "::1", False),
        ("127.0.0.1", "10.0.0.1", True),
        ("127.0.0.1", "169.254.169.254", True),
        ("169.254.1.1", "169.254.169.254", True),
        ("169.254.1.1", "169.254.1.1", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "127.0.0.1", True),
        ("10.0.0.1", "93.184.216.34", False),
        ("93.184.216.34", "cdn.invalid", False),
    ],
)
async def test_redirects_from_outside_do_not_lead_inside(
    source: str, target: str, *, refused: bool
) -> None:
    assert (await Redirects(source).refusal(target) is not None) is refused


async def test_name_that_moved_inside_since_is_refused() -> None:
    redirects = Redirects("93.184.216.34")
    assert await redirects.refusal("cdn.invalid") is None
    assert redirects.refusal_of_peer("cdn.invalid", "127.0.0.1") is not None
    assert redirects.refusal_of_peer("cdn.invalid", "93.184.216.35") is None
