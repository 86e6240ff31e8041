"""Where key, project and address come from: first found wins, each on its own; and no key is ever shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mithril_elt.errors import KeyRefusedError, MithrilError, UsageError
from mithril_elt.settings import Settings, find_settings, vendor_files

CANARY = "fkey_canary_0123456789abcdef"
FILE = """
current_profile: home
profiles:
  home: {api_key: fkey_home, project_id: proj_home, api_url: "https://home.example"}
  work: {api_key: fkey_work, project_id: proj_work}
"""
Write = Callable[[str], Path]


@pytest.fixture
def vendor_file() -> Write:
    """Writes the vendor's file."""
    return lambda text: _written(Path(os.environ["XDG_CONFIG_HOME"]) / "mithril" / "config.yaml", text)


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.shows(1)
def test_what_is_given_wins_over_all(monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """Options beat the environment, dlt's configuration and the file."""
    vendor_file(FILE)
    monkeypatch.setenv("SOURCES__MITHRIL__API_KEY", "fkey_dlt")
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_env")
    monkeypatch.setenv("MITHRIL_PROJECT", "proj_env")
    monkeypatch.setenv("MITHRIL_API_URL", "https://env.example")
    found = find_settings(api_key="fkey_given", api_url="https://given.example", projects=["proj_1", "proj_2"])
    assert found == Settings("fkey_given", "https://given.example", ("proj_1", "proj_2"))


@pytest.mark.shows(1)
def test_the_environment_wins_over_dlt_and_the_file(monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """As for the vendor's own tools."""
    vendor_file(FILE)
    monkeypatch.setenv("SOURCES__MITHRIL__API_KEY", "fkey_dlt")
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", "https://dlt.example")
    monkeypatch.setenv("SOURCES__MITHRIL__PROJECT_ID", "proj_dlt")
    monkeypatch.setenv("MITHRIL_API_KEY", " fkey_env\n")
    monkeypatch.setenv("MITHRIL_PROJECT", "proj_a, proj_b,")
    monkeypatch.setenv("MITHRIL_API_URL", "https://env.example")
    assert find_settings() == Settings("fkey_env", "https://env.example", ("proj_a", "proj_b"))


@pytest.mark.shows(1)
def test_dlts_configuration_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """`SOURCES__MITHRIL__…`, as dlt spells `[sources.mithril]` in the environment."""
    vendor_file(FILE)
    monkeypatch.setenv("SOURCES__MITHRIL__API_KEY", "fkey_dlt")
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", "https://dlt.example")
    monkeypatch.setenv("SOURCES__MITHRIL__PROJECT_ID", "proj_dlt")
    assert find_settings() == Settings("fkey_dlt", "https://dlt.example", ("proj_dlt",))


def test_each_setting_is_looked_for_on_its_own(monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """The key of one place goes with the project of another and the address of a third."""
    vendor_file(FILE)
    monkeypatch.setenv("MITHRIL_PROJECT", "proj_env")
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", "https://dlt.example")
    assert find_settings() == Settings("fkey_home", "https://dlt.example", ("proj_env",))


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_none(empty: str, monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """`export MITHRIL_API_KEY=` hides nothing that comes after."""
    vendor_file(FILE)
    for variable in ("MITHRIL_API_KEY", "MITHRIL_PROJECT", "MITHRIL_API_URL", "MITHRIL_PROFILE"):
        monkeypatch.setenv(variable, empty)
    assert find_settings() == Settings("fkey_home", "https://home.example", ("proj_home",))


def test_a_variable_without_the_sections_name_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt would take `API_KEY` for anybody's; this key is only taken where it is named for Mithril."""
    monkeypatch.setenv("API_KEY", "fkey_of_something_else")
    monkeypatch.setenv("SOURCES__API_KEY", "fkey_of_something_else")
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", "https://dlt.example")
    with pytest.raises(KeyRefusedError):
        find_settings()


def test_dlts_files_are_read_too(tmp_path: Path) -> None:
    """`.dlt/secrets.toml` and `config.toml` of the working folder; a list of projects is one."""
    _written(tmp_path / ".dlt" / "secrets.toml", f'[sources.mithril]\napi_key = "{CANARY}"\n')
    _written(
        tmp_path / ".dlt" / "config.toml",
        '[sources.mithril]\nprojects = ["proj_1", "proj_2"]\napi_url = "https://dlt.example"\n',
    )
    found = _in_a_process(tmp_path)
    assert json.loads(found.stdout) == [CANARY, "https://dlt.example", ["proj_1", "proj_2"]]


def test_dlt_is_not_imported_where_it_has_nothing_to_say(tmp_path: Path) -> None:
    """That costs seconds, which a command such as `check` does not have; an empty `.dlt` says nothing."""
    (tmp_path / ".dlt").mkdir()
    code = (
        "import sys; from mithril_elt.settings import find_settings; find_settings(needs_key=False); "
        "raise SystemExit('dlt' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.shows(2)
def test_a_broken_file_of_dlts_is_wrong_usage_without_its_content(tmp_path: Path) -> None:
    """It names the file's folder; the line with the key is not quoted."""
    _written(tmp_path / ".dlt" / "secrets.toml", f'[sources.mithril]\napi_key = "{CANARY}\n')
    found = _in_a_process(tmp_path)
    assert found.stdout == ""
    assert "UsageError" in found.stderr
    assert ".dlt" in found.stderr
    assert CANARY not in found.stderr


def _in_a_process(folder: Path) -> subprocess.CompletedProcess[str]:
    """`find_settings` in a process of its own: dlt looks for its files once in a process."""
    code = (
        "import json\n"
        "from mithril_elt.errors import MithrilError\n"
        "from mithril_elt.settings import find_settings\n"
        "try:\n"
        "    found = find_settings()\n"
        "    print(json.dumps([found.api_key, found.api_url, found.projects]))\n"
        "except MithrilError as error:\n"
        "    raise SystemExit(f'{type(error).__name__} {error}')\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.shows(1)
def test_the_profile_is_the_one_named_or_the_current_one(monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """MITHRIL_PROFILE beats `current_profile`; what a profile lacks stays unset."""
    vendor_file(FILE)
    assert find_settings() == Settings("fkey_home", "https://home.example", ("proj_home",))
    monkeypatch.setenv("MITHRIL_PROFILE", "work")
    assert find_settings() == Settings("fkey_work", None, ("proj_work",))


def test_a_profile_that_is_a_number_is_found(monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """YAML reads 1 as a number, the environment as text."""
    vendor_file("profiles:\n  1: {api_key: fkey_one}\n")
    monkeypatch.setenv("MITHRIL_PROFILE", "1")
    assert find_settings().api_key == "fkey_one"


@pytest.mark.parametrize("text", [FILE, FILE.replace("current_profile: home", "current_profile: [home]")])
def test_an_unknown_profile_is_wrong_usage(text: str, monkeypatch: pytest.MonkeyPatch, vendor_file: Write) -> None:
    """It says which there are, and in which file, and shows no key."""
    file = vendor_file(text)
    if text is FILE:
        monkeypatch.setenv("MITHRIL_PROFILE", "nobody")
    with pytest.raises(UsageError, match="home, work") as refused:
        find_settings()
    assert str(file) in str(refused.value)
    assert "fkey_" not in str(refused.value)


def test_the_older_file_counts_where_there_is_no_newer(vendor_file: Write) -> None:
    """`~/.flow/config.yaml`, without profiles; as soon as there is a newer one, that counts alone."""
    _written(Path.home() / ".flow" / "config.yaml", "api_key: fkey_old\nproject: proj_old\n")
    assert find_settings() == Settings("fkey_old", None, ("proj_old",))
    vendor_file(FILE)
    assert find_settings().api_key == "fkey_home"


def test_the_file_is_under_home_where_no_other_place_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """`~/.config` unless XDG_CONFIG_HOME says otherwise."""
    monkeypatch.delenv("XDG_CONFIG_HOME")
    _written(Path.home() / ".config" / "mithril" / "config.yaml", FILE)
    assert find_settings().api_key == "fkey_home"
    assert vendor_files()[0] == Path.home() / ".config" / "mithril" / "config.yaml"


def test_a_machine_without_a_home_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user nobody knows: the environment is enough."""
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", _no_home)
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_env")
    assert find_settings() == Settings("fkey_env", None, ())


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize(
    "text",
    [
        f"api_key: {CANARY}\n  x: [",
        f"api_key: '{CANARY}",
        f"{CANARY}: 2026-99-99\nwhen: 2026-99-99\n",
        f"a: &a {CANARY}\nb: *c\n",
        f"!!python/object:os.system {CANARY}\n",
        f"{CANARY}\x00",
    ],
)
@pytest.mark.shows(2)
def test_a_broken_file_is_wrong_usage_without_its_content(text: str, vendor_file: Write) -> None:
    """The file is named; nothing of what is in it is."""
    file = vendor_file(text)
    with pytest.raises(UsageError) as refused:
        find_settings()
    assert str(file) in str(refused.value)
    assert CANARY not in str(refused.value)
    assert CANARY not in str(refused.value.__cause__)


def test_a_file_that_is_not_text_is_wrong_usage() -> None:
    """Bytes that are no UTF-8."""
    file = _written(vendor_files()[0], "")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"config\.yaml"):
        find_settings()


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "profiles: {}\n", "profiles: {a: {api_key: k}}\n"])
def test_a_file_that_names_no_key_is_as_good_as_none(text: str, vendor_file: Write) -> None:
    """The error says where to put a key."""
    vendor_file(text)
    with pytest.raises(KeyRefusedError, match="MITHRIL_API_KEY") as refused:
        find_settings()
    assert refused.value.exit_status == 3


def test_without_a_key_where_none_is_needed() -> None:
    """What is not asked of the API needs no key."""
    assert find_settings(needs_key=False) == Settings("", None, ())


def test_the_file_is_not_opened_where_it_has_nothing_to_say(vendor_file: Write) -> None:
    """All that is wanted was given: a broken file is nobody's trouble."""
    vendor_file("[")
    assert find_settings(api_key="k", api_url="https://x.example", projects=["p"]).api_key == "k"


@pytest.mark.shows(2)
def test_the_key_is_not_in_the_settings_repr() -> None:
    """Settings that are printed tell no key."""
    assert CANARY not in repr(Settings(CANARY, None, ()))


def test_every_error_of_settings_has_an_exit_status(vendor_file: Write) -> None:
    """2 for a broken file, 3 for no key."""
    with pytest.raises(MithrilError) as no_key:
        find_settings()
    vendor_file("[")
    with pytest.raises(MithrilError) as broken:
        find_settings()
    assert (no_key.value.exit_status, broken.value.exit_status) == (3, 2)


README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
PLACES = re.findall(
    r"^\| (key|projects|address)[^|]*\|.*?\| `(MITHRIL_\w+)` \| `([\w.]+)` \| `(\w+)` \|$", README, re.MULTILINE
)


@pytest.mark.shows(1)
@pytest.mark.parametrize("place", ["environment", "dlt", "file"])
@pytest.mark.parametrize("row", PLACES, ids=lambda row: row[0])
def test_each_place_in_the_readme_is_looked_at(
    row: tuple[str, str, str, str], place: str, monkeypatch: pytest.MonkeyPatch, vendor_file: Write
) -> None:
    """Each setting, put only where the README's table says, is found; the one that is a secret shows in no repr."""
    setting, variable, dotted, field = row
    if place == "file":
        vendor_file(f"{{current_profile: a, profiles: {{a: {{{field}: found_here}}}}}}")
    else:
        monkeypatch.setenv(variable if place == "environment" else dotted.replace(".", "__").upper(), "found_here")
    found = find_settings(needs_key=False)
    values = {"key": found.api_key, "projects": ",".join(found.projects), "address": found.api_url}
    assert {name for name, value in values.items() if value == "found_here"} == {setting}
    assert ("found_here" in repr(found)) is (setting != "key")


def test_the_readme_has_all_three_settings() -> None:
    """So the test above has a row for each."""
    assert [setting for setting, *_ in PLACES] == ["key", "projects", "address"]
