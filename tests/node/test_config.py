from pathlib import Path

import pytest

from ovis.node.config import ConfigError, load


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "ovisd.toml"
    file.write_text(text)
    return file


def test_file_is_read_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    config = load(written(tmp_path, '[listen]\nport = 1234\n[log]\nlevel = "DEBUG"\n'), {})
    assert (config.listen.port, config.log.level, config.listen.address) == (1234, "DEBUG", "::")


def test_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "[listen]\nport = 1234\n")
    assert load(file, {"OVIS_LISTEN_PORT": "99"}).listen.port == 99


def test_variable_can_hold_a_list(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""), {"OVIS_VMS_ALLOWED_PATHS": '["/srv/a", "/srv/b"]'})
    assert config.vms.allowed_paths == [Path("/srv/a"), Path("/srv/b")]


def test_variables_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    assert load(written(tmp_path, ""), {"OVIS_PKI": "/x", "OVISLISTEN": "y"}) == load(written(tmp_path, ""), {})


def test_socket_lies_in_the_run_folder_unless_told_otherwise(tmp_path: Path) -> None:
    assert load(written(tmp_path, 'run_folder = "/run/here"'), {}).socket == Path("/run/here/ovisd.sock")
    assert load(written(tmp_path, '[listen]\nsocket = "/s"'), {}).socket == Path("/s")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[listen]\nport = 70000\n", ["listen.port", "65535"]),
        ('[listen]\nport = "http"\n', ["listen.port", "int"]),
        ("[listen]\nprot = 1\n", ["prot"]),
        ('[vms]\nallowed_paths = ["images"]\n', ["vms.allowed_paths[0]", "absolute"]),
        ("[vms]\nsample_seconds = 0\n", ["vms.sample_seconds"]),
        ('[hypervisor]\nacceleration = "xen"\n', ["hypervisor.acceleration", "xen"]),
        ("[vms]\nsample_seconds = inf\n", ["vms.sample_seconds"]),
        ("[vms]\nsample_seconds = nan\n", ["vms.sample_seconds"]),
        ("[vms]\nsample_seconds = 1e-9\n", ["vms.sample_seconds"]),
        ('[hypervisor]\nuri = ""\n', ["hypervisor.uri"]),
        ('[host]\nid = "host-7"\n', ["host.id", "a UUID"]),
        ("[listen\n", ["not TOML"]),
    ],
)
def test_bad_value_names_file_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert all(word in str(caught.value) for word in [str(file), *words])


def test_bad_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"OVIS_LISTEN_PORT.*listen\.port"):
        load(None, {"OVIS_LISTEN_PORT": "-1"})


def test_variable_for_a_key_that_no_section_has_is_named() -> None:
    with pytest.raises(ConfigError, match=r"OVIS_LISTEN_PROT.*`prot`"):
        load(None, {"OVIS_LISTEN_PROT": "1"})


def test_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml", {})
