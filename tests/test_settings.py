"""Settings: what they refuse, because a typo in a rule is a silent hole."""

from datetime import date
from pathlib import Path

import pytest

from analyzer.catalog import catalog
from analyzer.errors import SettingsError
from analyzer.settings import Rule
from analyzer.settings_file import read_settings
from tests.golden import ROOT

WHO = {"action": "deny", "owner": "platform", "reason": "agreed"}


def _written(folder: Path, rule: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(f'[[rules]]\naction = "deny"\nowner = "platform"\nreason = "agreed"\n{rule}\n')
    return path


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ('hosts = ["*.example.com"]', "suffixes"),
        ('hosts = ["https://example.com/x"]', "scheme"),
        ('hosts = ["example.com:443"]', "ports"),
        ('hosts = ["192.0.2.1"]', "cidrs"),
        ('suffixes = ["*"]', "'*' is no host name"),
        ('suffixes = ["a.*.example.com"]', "in front"),
        ('cidrs = ["10.0.0.0/99"]', "10.0.0.0/99"),
        ("ports = [0]", "1"),
        ('host = ["example.com"]', "no such setting"),
    ],
)
def test_a_rule_that_could_never_hold_is_refused(tmp_path: Path, rule: str, hint: str) -> None:
    with pytest.raises(SettingsError, match="rules") as caught:
        read_settings(_written(tmp_path, rule))

    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[thresholds\nmin_entries = 2\n", "s.toml:1:12: not TOML"),
        ("# ours\n[thresholds]\nmin_entries = 0\n", "s.toml:3: thresholds.min_entries"),
        ("[proposals]\ndefault_namespace = 'shop'\n[threshold]\nmin_entries = 2\n", "s.toml:3: threshold"),
        ("thresholds.min_entry = 2\n", "s.toml:1: thresholds.min_entry: no such setting"),
        (
            '[[rules]]\naction = "deny"\nhosts = ["a.example"]\nowner = "o"\nreason = "r"\n\n'
            '[[rules]]\naction = "deny"\nowner = "o"\nreason = "r"\nports = [\n  443,\n  0,\n]\n',
            "s.toml:11: rules.1.ports.1",
        ),
        ('[[rules]]\naction = "deny"\nowner = "o"\nreason = "r"\n', "s.toml:1: rules.0: a rule must name"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_to_try(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "s.toml").write_text(text)

    with pytest.raises(SettingsError) as caught:
        read_settings(tmp_path / "s.toml")

    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(place)
    assert caught.value.hint


@pytest.mark.parametrize("suffix", ["*.Example.com", ".example.com", "example.com.", "example.com"])
def test_a_suffix_covers_every_name_below_it_and_not_the_apex(suffix: str) -> None:
    rule = Rule(**WHO, suffixes=(suffix,))
    known = {"namespace": "shop", "workload": "web", "address": None, "port": 443}

    assert rule.covers(host="a.b.example.com", **known)
    assert not rule.covers(host="example.com", **known)
    assert not rule.covers(host="badexample.com", **known)


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = (ROOT / "analyzer/docs/settings.md").read_text()
    (tmp_path / "s.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])

    settings = read_settings(tmp_path / "s.toml")

    assert [rule.action for rule in settings.rules] == ["allow", "deny"]
    assert settings.thresholds.min_entries == 5


def test_every_setting_is_in_the_catalog_with_what_it_means() -> None:
    listed = {item["name"] for item in catalog()["settings"]}

    assert listed >= {"thresholds.min_entries", "rules[].hosts", "rules[].owner", "rules[].expires"}


def test_a_rule_counts_on_the_day_it_expires_and_not_on_the_next() -> None:
    rule = Rule(**WHO, hosts=("Example.COM.",), expires=date(2026, 3, 2))

    assert rule.hosts == ("example.com",)
    assert not rule.expired(date(2026, 3, 2))
    assert rule.expired(date(2026, 3, 3))
