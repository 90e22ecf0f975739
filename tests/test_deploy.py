"""The files of deploy/: what they name is there, and nothing in them runs as root or floats. No engine is needed."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.pools import POOLS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILES = sorted(path for path in DEPLOY.glob("Dockerfile.*") if path.suffix != ".dockerignore")
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = [name for name, service in SERVICES.items() if str(service.get("image")).startswith("winnow:")]
VARIABLE = re.compile(r"\$\{(\w+)")
PINNED = re.compile(r".+:[\w.-]*\d[\w.-]*$")


def instructions(path: Path) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile and what it is given, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in found]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda p: p.name)
class TestImage:
    def test_starts_from_a_fixed_image(self, path):
        bases = [rest.split()[0] for name, rest in instructions(path) if name == "FROM"]
        assert bases and all(PINNED.match(base) for base in bases)

    def test_copies_what_is_there_and_what_the_build_may_see(self, path):
        allowed = {line[1:] for line in Path(f"{path}.dockerignore").read_text().splitlines() if line.startswith("!")}
        copies = [rest.split() for name, rest in instructions(path) if name == "COPY" and "--from" not in rest]
        sources = [source for words in copies for source in words[:-1]]
        assert sources and all((ROOT / source).exists() and source in allowed for source in sources)

    def test_installs_every_package_as_locked(self, path):
        installs = [part for name, rest in instructions(path) if name == "RUN" for part in rest.split("&&")
                    if part.split()[:2] == ["pip", "install"]]  # fmt: skip
        assert any("weights.lock" in part for part in installs)
        for part in installs:
            locked = "--constraint requirements.lock" in part or "--requirement weights.lock" in part
            assert locked or "requirements.lock)" in part, part

    def test_ends_as_a_user_without_rights_with_health_and_a_home_of_its_own(self, path):
        last = dict(instructions(path))
        assert last["USER"] == "10001:10001"
        assert last["VOLUME"] == "/var/lib/winnow"
        assert "/health" in last["HEALTHCHECK"]
        assert "ENTRYPOINT" not in last, "a worker's containers bring a command of their own"
        command = json.loads(last["CMD"])
        assert command[:3] == ["prefect", "worker", "start"] and "--with-healthcheck" in command

    def test_takes_ffmpeg_from_the_distribution(self, path):
        runs = [shlex.split(rest) for name, rest in instructions(path) if name == "RUN" and "apt-get install" in rest]
        assert any("ffmpeg" in words for words in runs)


def test_every_service_comes_from_a_fixed_image_or_one_that_is_built_here():
    for name, service in SERVICES.items():
        build = service.get("build")
        if build:
            assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() in DOCKERFILES, name
        else:
            assert PINNED.match(service["image"]), name


def test_every_service_that_stays_is_looked_after():
    for name, service in SERVICES.items():
        if service["restart"] != "no" and name not in WORKERS:
            assert service["healthcheck"]["test"][0] == "CMD", name
    assert SERVICES["setup"]["healthcheck"] == {"disable": True}


def test_workers_have_no_rights_and_wait_for_server_and_setup():
    assert len(WORKERS) == 4
    for name in WORKERS:
        service = SERVICES[name]
        assert service["user"] == "10001:10001" and service["cap_drop"] == ["ALL"] and not service.get("privileged")
        assert service["depends_on"]["server"]["condition"] == "service_healthy"
        if name != "setup":
            assert service["depends_on"]["setup"]["condition"] == "service_completed_successfully"
    polled = {word for name in WORKERS for word in SERVICES[name]["command"] if word.startswith("winnow-")}
    assert polled == {pool.name for pool in POOLS}


def test_what_services_lean_on_exists():
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        sources = [volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith("$")]
        assert set(sources) <= set(COMPOSE["volumes"]), name


def test_secrets_come_from_the_environment_and_the_example_names_every_variable():
    text = (DEPLOY / "docker-compose.yml").read_text()
    example = dict(
        line.partition("=")[::2] for line in (DEPLOY / ".env.example").read_text().splitlines() if line[:1] not in "#"
    )
    assert set(VARIABLE.findall(text)) == set(example)
    assert not [name for name, value in example.items() if value and re.search("PASSWORD|SECRET|KEY", name)]
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET|KEY", name) or str(value).startswith("${"), name


def test_pods_of_workers_are_kept_alive_without_rights():
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes-worker.yaml").read_text()))
    (deployment,) = (each for each in documents if each["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert {word for each in pod["containers"] for word in each["args"] if word.startswith("winnow-")} == {
        pool.name for pool in POOLS
    }
    ports = set()
    for container in pod["containers"]:
        env = {each["name"]: each["value"] for each in container["env"]}
        port = container["livenessProbe"]["httpGet"]["port"]
        assert env["PREFECT_WORKER_WEBSERVER_PORT"] == str(port)
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        ports.add(port)
    assert len(ports) == len(pod["containers"])
    roles = {each["kind"]: each for each in documents}
    assert roles["RoleBinding"]["roleRef"]["name"] == roles["Role"]["metadata"]["name"]
    assert "ClusterRole" not in roles
