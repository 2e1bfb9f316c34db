"""What binder/ says about a hub: settings that its chart and JupyterHub know, an image that works there, true links."""

import copy
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import yaml
from jupyter_core.paths import SYSTEM_CONFIG_PATH
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

ROOT = Path(__file__).parents[2]
VALUES = yaml.safe_load((ROOT / "binder/values.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "binder/README.md").read_text(encoding="utf-8")
TEACHERS = (ROOT / "notebooks/for-teachers.ipynb").read_text(encoding="utf-8")

# What repo2docker takes from its command line.
ASK = """import sys
from repo2docker.__main__ import make_r2d
made = make_r2d(sys.argv[1:])
print(made.output_image_spec, made.user_name, made.user_id, made.target_repo_dir)"""

TEXT, FLAG, SECONDS = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 1}
BYTES = {"type": "string", "pattern": r"^\d+[KMGT]$"}
CORES = {"type": "number", "exclusiveMinimum": 0}


def section(**known: dict) -> dict:
    """A section of the values that has these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": known}


# The chart's own schema comes with the chart alone, from its own server. This is what it says (chart 4.3,
# JupyterHub 5.4) of the keys that are used here, and as strict: a key that it does not know is a mistake.
SCHEMA = section(
    proxy=section(
        https=section(
            enabled=FLAG, hosts={"type": "array", "items": TEXT, "minItems": 1}, letsencrypt=section(contactEmail=TEXT)
        )
    ),
    hub=section(config={"type": "object"}),
    singleuser=section(
        image=section(name=TEXT, tag=TEXT) | {"required": ["name", "tag"]},
        defaultUrl=TEXT,
        startTimeout=SECONDS,
        memory=section(guarantee=BYTES, limit=BYTES),
        cpu=section(guarantee=CORES, limit=CORES),
        storage=section(type={"enum": ["dynamic", "static", "none"]}, capacity=TEXT, homeMountPath=TEXT),
        networkPolicy=section(enabled=FLAG),
        extraFiles={
            "type": "object",
            "additionalProperties": section(mountPath={"pattern": r"\.(json|yaml|yml|toml)$"}, data={"type": "object"}),
        },
    ),
    cull=section(enabled=FLAG, timeout=SECONDS, every=SECONDS) | {"required": ["enabled"]},
    prePuller=section(
        hook=section(enabled=FLAG) | {"required": ["enabled"]},
        continuous=section(enabled=FLAG) | {"required": ["enabled"]},
    ),
)


def test_the_chart_knows_every_value():
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize(
    ("path", "value"),
    [("singleuser.defaulturl", "/lab"), ("singleuser.memory.limit", "2 GB"), ("cull.timeout", "1h"), ("culling", {})],
)
def test_a_value_that_the_chart_would_refuse_is_found(path, value):
    *folders, name = path.split(".")
    values = copy.deepcopy(VALUES)
    place = values
    for folder in folders:
        place = place[folder]
    place[name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)


def test_jupyter_server_reads_the_file_about_idle_kernels_and_knows_what_it_sets():
    [file] = VALUES["singleuser"]["extraFiles"].values()
    [(name, settings)] = file["data"].items()

    assert str(Path(file["mountPath"]).parent) in SYSTEM_CONFIG_PATH
    assert name == MappingKernelManager.__name__
    assert settings.keys() <= set(MappingKernelManager.class_trait_names(config=True))


@pytest.mark.slow
def test_jupyterhub_knows_what_it_is_told():
    app, spawner = (pytest.importorskip(f"jupyterhub.{name}") for name in ("app", "spawner"))
    config, user = VALUES["hub"]["config"], VALUES["singleuser"]
    hub = app.JupyterHub(**config["JupyterHub"])
    authenticator = hub.authenticator_class(user_password="x" * 40, **config["Authenticator"])

    assert "user_password" in authenticator.trait_names(config=True)
    assert config["Authenticator"].keys() <= set(authenticator.trait_names(config=True))
    limits = spawner.Spawner(mem_limit=user["memory"]["limit"], mem_guarantee=user["memory"]["guarantee"])
    assert limits.mem_guarantee < limits.mem_limit


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker asks for Linux or macOS")
def test_the_image_keeps_the_package_outside_the_home_that_a_hub_covers():
    [command] = re.findall(r"^ *jupyter-repo2docker (.*)$", PAGE, re.MULTILINE)
    asked = subprocess.run(
        [sys.executable, "-c", ASK, *command.split()], cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    image, user, number, folder = asked.stdout.split()
    home = VALUES["singleuser"]["storage"]["homeMountPath"]

    assert image == "{name}:{tag}".format(**VALUES["singleuser"]["image"])
    assert (f"/home/{user}", number) == (home, "1000")  # whom the chart starts
    assert not Path(folder).is_relative_to(home)


def test_what_a_class_needs_follows_from_what_was_measured():
    [(base, student, seconds, minute)] = re.findall(
        r"\((\d+) MiB \+ students x (\d+) MiB\) / 1,024 \| Cores: students x ([\d.]+) s / (\d+) s \|", PAGE
    )
    rows = re.findall(r"^\| ([\d,]+) \| ([\d.]+) \| (\d+) \|$", PAGE, re.MULTILINE)

    for row in rows:
        students, memory, cores = (float(cell.replace(",", "")) for cell in row)
        assert memory == pytest.approx((int(base) + students * int(student)) / 1024, abs=0.5)
        assert cores == pytest.approx(students * float(seconds) / int(minute), abs=1)
    assert [students for students, _, _ in rows] == ["30", "100", "1,000"]


@pytest.mark.parametrize("text", [PAGE, TEACHERS], ids=["binder/README.md", "for-teachers"])
def test_a_link_of_the_teacher_opens_a_lesson(text):
    links = re.findall(r"https://\S+?urlpath=[^\s`\"\\]+", text)
    assert links
    for link in links:
        [path] = parse_qs(urlsplit(link).query)["urlpath"]
        lesson = path.removeprefix("lab/tree/").removeprefix("REPOSITORY/")
        assert (ROOT / lesson).is_file(), link
