"""What is shown before anything is downloaded, what is refused, and who owns the folder."""

import json
import os
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from blender_recon3d import engine_setup
from blender_recon3d.engine_setup import engine_process
from blender_recon3d.engine_setup import package_sources as places
from blender_recon3d.engine_setup import target as folder
from blender_recon3d.engine_setup.download_sizes import forecast, table
from blender_recon3d.engine_setup.package_sources import Sources
from blender_recon3d.engine_setup.pythons import NEWEST, OLDEST, fits
from blender_recon3d.engine_setup.requirements import pins
from blender_recon3d.engine_setup.variants import Driver, choose
from blender_recon3d.pipeline import paths
from blender_recon3d.pipeline.errors import UserError
from tests.support.packages import ROOT

SYSTEMS = {"linux": "linux-x86_64", "darwin": "darwin-arm64", "win32": "win32-amd64"}
# No settings of pip or uv from the machine that runs the tests.
BARE = {"PIP_CONFIG_FILE": os.devnull, "HOME": "/nowhere"}


def test_it_imports_with_the_standard_library_alone():
    refuse = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('bpy', 'torch', 'pycolmap', 'cv2', 'numpy', 'pip'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import blender_recon3d.engine_setup.setup_command\n"
    )
    result = subprocess.run([sys.executable, "-S", "-c", refuse], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


# -- pins and sizes ---------------------------------------------------------------------------------


def test_the_zip_has_the_pins_of_pyproject(tmp_path):
    import build_addon

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert list(pins()) == extras["engine"] and all("==" in pin for pin in pins())
    with zipfile.ZipFile(build_addon.build(tmp_path)) as archive:
        assert archive.read("engine_requirements.txt").decode().split("\n")[:-1] == extras["engine"]
        assert archive.read("setup_requirements.txt").decode().split("\n")[:-1] == extras["setup"]
        archive.extractall(tmp_path / "other name")
    code = "from recon3d_addon.engine_setup.requirements import pins; print(*pins(), sep='\\n')"
    main = tmp_path / "other name" / "engine_setup" / "__main__.py"
    result = subprocess.run(
        [sys.executable, "-c", f"import runpy; runpy.run_path({str(main)!r}, run_name='x'); {code}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.stdout.split() == extras["engine"], result.stderr


def test_the_table_of_sizes_is_of_these_pins():
    """Otherwise: benchmarks/measure/engine_size.py --write."""
    assert table()["requirements"] == list(pins())
    for found in table()["pythons"].values():
        assert [tuple(map(int, version.split("."))) for version in found] == [
            (3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)
        ]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "driver", [None, Driver(0, "a driver"), Driver(12, "driver 550"), Driver(13, "driver 580")]
)
def test_every_build_that_can_be_chosen_has_sizes(system, driver):
    chosen = choose("auto", driver, system)
    sizes = forecast(chosen, SYSTEMS[system])
    assert sizes and 1e8 < sizes.download < 5e9 and sizes.download < sizes.installed < sizes.peak
    assert bool(sizes.guessed) == bool(chosen.backend)  # pytorch.org has not been queried


def test_a_system_without_the_packages_is_reported(monkeypatch, tmp_path):
    from blender_recon3d.engine_setup import planning as module

    assert forecast(choose("cpu", None, "linux"), "linux-riscv64") is None
    monkeypatch.setattr(module, "forecast", lambda variant: None)
    assert "no engine packages for this system" in engine_setup.plan(tmp_path / "e", environ=BARE).problems[0]


# -- which torch ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "driver", "name", "index"),
    [
        ("linux", None, "cpu", "https://download.pytorch.org/whl/cpu"),
        ("linux", Driver(13, "580"), "cuda", ""),
        ("linux", Driver(12, "550"), "cuda", "https://download.pytorch.org/whl/cu126"),
        ("linux", Driver(11, "470"), "cpu", "https://download.pytorch.org/whl/cpu"),
        ("win32", None, "cpu", ""),
        ("win32", Driver(13, "580"), "cuda", "https://download.pytorch.org/whl/cu130"),
        ("win32", Driver(12, "550"), "cuda", "https://download.pytorch.org/whl/cu126"),
        ("darwin", None, "mps", ""),
    ],
)
def test_torch_for_the_machine(system, driver, name, index):
    chosen = choose("auto", driver, system)
    assert (chosen.name, chosen.index) == (name, index)


@pytest.mark.parametrize(
    ("text", "cuda", "version"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024",
            12,
            "535.183.01",
        ),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build",
            13,
            "580.65.06",
        ),
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27 21:21:55 UTC 2021",
            11,
            "470.82.01",
        ),
    ],
)
def test_the_driver_says_which_cuda_it_runs(text, cuda, version, tmp_path, monkeypatch):
    """The first line of /proc/driver/nvidia/version, of NVIDIA's closed and open modules."""
    from blender_recon3d.engine_setup import variants

    monkeypatch.setattr(variants, "_PROC", tmp_path / "version")
    (tmp_path / "version").write_text(f"{text}\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n")
    assert variants.find_driver("linux") == Driver(cuda, f"NVIDIA driver {version}")


@pytest.mark.parametrize(("name", "system"), [("cuda", "darwin"), ("mps", "linux"), ("rocm", "linux")])
def test_a_nonexistent_torch_build(name, system):
    with pytest.raises(UserError, match="choose"):
        choose(name, None, system)


def test_pythons_that_fit():
    assert fits((3, 11, 7)) and fits((3, 12, 0)) and fits((3, 13, 0))
    assert not fits((3, 10, 9)) and not fits((3, 14, 0))
    assert not fits((3, 13, 5), wide=False) and not fits((3, 13, 3), without_gil=True)


# -- where packages come from -----------------------------------------------------------------------


def test_an_explicit_index_replaces_the_configured_one(tmp_path):
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://corp/simple\nfind-links = /opt/w\ncert = /etc/corp.pem\n"
    )
    environ = {
        "PIP_CONFIG_FILE": str(config),
        "HOME": "/nowhere",
        "PIP_EXTRA_INDEX_URL": "https://x",
        "UV_INDEX": "y",
    }
    given = Sources("https://mine/simple https://more/simple")
    assert places.arguments("pip", given, environ) == [
        "--index-url", "https://mine/simple", "--extra-index-url", "https://more/simple",
    ]  # fmt: skip
    options = places.arguments("uv", given, environ)
    assert options[:4] == ["--default-index", "https://mine/simple", "--index", "https://more/simple"]
    clean = places.environment(given, environ, tmp_path)
    assert "PIP_EXTRA_INDEX_URL" not in clean and "UV_INDEX" not in clean
    assert clean["PIP_CONFIG_FILE"] == os.devnull and clean["PIP_CERT"] == "/etc/corp.pem"


def test_pips_own_settings_are_honored(tmp_path):
    """uv ignores them: pip installs, and no source is added if they define the source of torch."""
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nfind-links = /srv/wheels\n[install]\nextra-index-url = https://corp/simple\n"
    )
    environ = {"PIP_CONFIG_FILE": str(config), "HOME": "/nowhere", "XDG_CONFIG_DIRS": "/nowhere"}
    assert places.prefers_pip(Sources(), environ)
    assert places.arguments("pip", Sources(), environ) == []
    assert places.environment(Sources(), environ, tmp_path)["PIP_CONFIG_FILE"] == str(config)
    assert not places.prefers_pip(Sources(), {**environ, "UV_DEFAULT_INDEX": "https://corp/simple"})
    assert not places.prefers_pip(Sources("https://mine"), environ)
    assert not places.prefers_pip(Sources(), BARE)
    cert_only = tmp_path / "cert.conf"
    cert_only.write_text("[global]\ncert = /etc/corp.pem\n")
    assert not places.prefers_pip(Sources(), {**environ, "PIP_CONFIG_FILE": str(cert_only)})


def test_the_proxy_reaches_the_tools_and_blenders_python_does_not(tmp_path):
    environ = {
        "PYTHONHOME": "/blender",
        "PIP_TARGET": "/x",
        "PIP_USER": "1",
        "NO_PROXY": "corp",
        "PIP_CACHE_DIR": "/c",
    }
    clean = places.environment(Sources(proxy="http://me:secret@proxy:3128"), environ, tmp_path)
    assert clean["HTTPS_PROXY"] == clean["https_proxy"] == "http://me:secret@proxy:3128"
    assert clean["NO_PROXY"] == "corp" and clean["PIP_CACHE_DIR"] == "/c" and clean["PIP_USER"] == "0"
    assert "PYTHONHOME" not in clean and "PIP_TARGET" not in clean


def test_a_folder_with_blanks_in_its_name_is_one_index(tmp_path):
    mine = tmp_path / "my index"
    mine.mkdir()
    assert Sources(str(mine)).indexes == [mine.as_uri()]
    assert Sources("https://a/simple https://b/simple").indexes == ["https://a/simple", "https://b/simple"]
    (mine / "a-1-py3-none-any.whl").touch()
    assert Sources(str(mine)).indexes == [] and Sources(str(mine)).links == [str(mine)]


def test_passwords_are_not_shown(tmp_path):
    made = engine_setup.plan(tmp_path / "e", index="https://me:secret@corp/simple")
    assert "secret" not in "".join(made.lines) and "corp/simple" in "".join(made.lines)


# -- the plan ---------------------------------------------------------------------------------------


def test_the_plan_says_what_where_from_where_to_and_how_much(tmp_path):
    target = tmp_path / "Umgebung 環境"
    made = engine_setup.plan(target, "cpu", environ=BARE)
    text = "\n".join(made.lines)
    assert made.able and made.target == target and not target.exists()
    assert (
        str(target) in text
        and "Download: about" in text
        and "torch for CPU" in text
        and "Free space there" in text
    )
    assert made.download > 1e8 and made.disk > made.download
    command = engine_setup.command(made, "/blender/python")
    assert command[:2] == ["/blender/python", "-I"] and Path(command[4]).is_file()
    assert command[5:] == ["install", "--target", str(target), "--variant", "cpu"]


def test_the_plan_and_the_state_are_quick(tmp_path):
    """Called by a dialog and a panel while Blender draws."""
    engine_setup.plan(tmp_path / "e")
    begun = time.process_time()
    engine_setup.plan(tmp_path / "e")
    engine_setup.state(tmp_path / "e")
    assert time.process_time() - begun < 0.05


def test_offline_is_refused_with_one_message(tmp_path):
    made = engine_setup.plan(tmp_path / "e", online=False)
    assert len(made.problems) == 1 and "online access is off" in made.problems[0]
    assert engine_setup.command(made)[-1] == "--offline"
    assert engine_setup.plan(tmp_path / "e", index=tmp_path.as_uri(), online=False).able
    assert not engine_setup.plan(tmp_path / "e", index="https://pypi.org/simple", online=False).able


def test_too_little_disk_space_is_a_problem(tmp_path, monkeypatch):
    from blender_recon3d.engine_setup import planning as module

    monkeypatch.setattr(module, "free_space", lambda folder: 10**8)
    problem = engine_setup.plan(tmp_path / "e", "cpu", environ=BARE).problems[0]
    assert problem.startswith("100 MB are free") and "free some space" in problem


# -- whose folder it is -----------------------------------------------------------------------------


def made_by_hand(target: Path) -> Path:
    """A folder as after a finished setup, without the packages."""
    folder.claim(target)
    site = target / ("Lib/site-packages" if sys.platform == "win32" else "lib/python3.11/site-packages")
    site.mkdir(parents=True)
    for pin in pins():
        name, _, version = pin.partition("==")
        (site / f"{name.replace('-', '_')}-{version}.dist-info").mkdir()
    python = target / engine_process.INTERPRETER
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    (target / "ready.json").write_text(json.dumps({"requirements": list(pins())}))
    return target


def test_states(tmp_path):
    target = tmp_path / "engine"
    assert engine_setup.state(target) == "missing"
    made_by_hand(target)
    assert engine_setup.state(target) == "ready"
    assert engine_process.find_python(environ={}, managed=target) == target / engine_process.INTERPRETER
    (target / engine_process.INTERPRETER).unlink()
    (target / engine_process.INTERPRETER).symlink_to(tmp_path / "a Blender that was removed")
    assert engine_setup.state(target) == "broken"
    (target / "ready.json").write_text("[" * 100000)
    assert engine_setup.state(target) == "broken"


def test_the_preference_takes_precedence_over_the_managed_environment(tmp_path, monkeypatch):
    target, mine = made_by_hand(tmp_path / "engine"), made_by_hand(tmp_path / "mine")
    beside = made_by_hand(tmp_path / "checkout" / ".venv")
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path / "an installed extension")
    assert engine_process.find_python("", str(mine), {}, target) == mine / engine_process.INTERPRETER
    (target / "ready.json").unlink()  # incomplete
    with pytest.raises(UserError, match="Set Up Engine"):
        engine_process.find_python(environ={}, managed=target)
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path / "checkout")
    assert engine_process.find_python(environ={}, managed=target) == beside / engine_process.INTERPRETER


def test_remove_deletes_the_environment_and_nothing_else(tmp_path):
    outside = tmp_path / "photos"
    outside.mkdir()
    (outside / "a.jpg").touch()
    target = made_by_hand(tmp_path / "engine")
    (target / "link").symlink_to(outside)
    (target / "lib" / "link").symlink_to(outside / "a.jpg")
    closed = target / "closed"
    closed.mkdir()
    (closed / "file").touch()
    closed.chmod(0o500)
    engine_setup.remove(target)
    assert not target.exists() and (outside / "a.jpg").exists()
    engine_setup.remove(target)  # nothing there


def test_a_foreign_folder_is_not_touched(tmp_path):
    foreign = tmp_path / "documents"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="did not create it"):
        engine_setup.remove(foreign)
    with pytest.raises(UserError, match="did not create"):
        folder.claim(foreign)
    assert "did not create" in engine_setup.plan(foreign).problems[0]
    assert (foreign / "thesis.txt").exists()

    target = made_by_hand(tmp_path / "engine")
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(UserError, match="did not create it"):
        engine_setup.remove(link)
    assert engine_setup.state(target) == "ready"


def test_an_interrupted_removal_can_be_continued(tmp_path, monkeypatch):
    target = made_by_hand(tmp_path / "engine")
    with monkeypatch.context() as patched:
        patched.setattr(folder, "delete", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            engine_setup.remove(target)
    assert engine_setup.state(target) == "broken"
    engine_setup.remove(target)
    assert not target.exists()


def test_names_in_a_record_do_not_lead_out_of_the_environment(tmp_path):
    from blender_recon3d.engine_setup.integrity import remove_damaged

    target = made_by_hand(tmp_path / "engine")
    victim = tmp_path / "victim.txt"
    victim.write_text("kept")
    site = folder.site_packages(target)
    (site / "out").symlink_to(tmp_path)
    hostile = site / "evil-1.0.dist-info"
    hostile.mkdir()
    (hostile / "METADATA").touch()
    (hostile / "RECORD").write_text(f"{victim},,1\n../../../../victim.txt,,1\nout/victim.txt,,1\n")
    assert "evil" in remove_damaged(target)
    assert victim.read_text() == "kept" and not hostile.exists()
