from __future__ import annotations

import pytest

from edgedet.camera import policies
from edgedet.camera.policies import Policy, parse


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("latest", Policy("latest", 1)),
        ("lossless", Policy("lossless", 4, blocks=True)),
        ("drop_oldest", Policy("drop_oldest(4)", 4)),
        ("drop_oldest(7)", Policy("drop_oldest(7)", 7)),
        ("drop_oldest:7", Policy("drop_oldest(7)", 7)),
        ("max_age(0.25)", Policy("max_age(0.25)", 8, max_age_s=0.25)),
        ("max_age:2", Policy("max_age(2)", 8, max_age_s=2.0)),
    ],
)
def test_text_becomes_a_policy_whose_name_is_text(text: str, policy: Policy) -> None:
    assert parse(text) == policy
    assert parse(policy.name) == policy
    assert parse(policy) is policy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "newest",
        "latest(2)",
        "latest ",
        "lossless:1",
        "drop_oldest(0)",
        "drop_oldest(1.5)",
        "drop_oldest(9999)",
        "max_age(0)",
        "max_age(-1)",
        "max_age(1.2.3)",
        "max_age(inf)",
        "__class__",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+: expected .*, got .*; "):
        parse(text)


def test_every_policy_is_bounded() -> None:
    assert {make().depth <= 8 for make in policies.POLICIES.values()} == {True}
