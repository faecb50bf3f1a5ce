import pytest

from domain.models.registry.addresses import refusal


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "::169.254.169.254",
        "2001:0:1:1:0:0:5601:5601",
        "2852039166",
        "0xA9FEA9FE",
        "169.254.43518",
        "0251.0376.0251.0376",
        "metadata.google.internal",
        "metadata.google.internal.",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_nobody_reaches_where_clouds_keep_credentials(host: str, allow_private: bool) -> None:
    assert refusal(host, allow_private=allow_private) is not None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "10.1.2.3",
        "192.168.0.10",
        "172.16.0.1",
        "100.64.0.1",
        "fd12:3456::1",
        "fec0::1",
        "::ffff:10.0.0.1",
        "127.1",
        "0x7f.1",
        "localhost",
        "LOCALHOST.",
        "api.localhost",
    ],
)
def test_the_servers_own_network_is_reached_only_if_that_is_allowed(host: str) -> None:
    assert refusal(host, allow_private=True) is None
    assert refusal(host, allow_private=False) is not None


@pytest.mark.parametrize(
    "host",
    ["api.openai.com", "8.8.8.8", "2606:4700::1111", "10.example.com", "abc.de", "8.8"],
)
def test_the_rest_of_the_world_is_reached(host: str) -> None:
    assert refusal(host, allow_private=False) is None
