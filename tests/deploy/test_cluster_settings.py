"""What deploy/ asks of a cluster: one policy in each of its forms, the pod of a run, settings that the project knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import dagster as dg
import pytest
import yaml

from dagster_project.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ReadYaml = Callable[[str], dict[str, Any]]


@pytest.fixture
def launchers(deploy_yaml: ReadYaml) -> dict[str, dict[str, Any]]:
    """The run launcher's configuration as deploy/cluster writes it and as the chart's template writes it from the values."""
    values = deploy_yaml("helm/values.yaml")
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    from_chart = {
        "job_namespace": "analytics",
        "load_incluster_config": True,
        "service_account_name": "service-roi-dagster",
        "dagster_home": "/opt/dagster/dagster_home",
        "instance_config_map": "service-roi-dagster-instance",
        "postgres_password_secret": values["global"]["postgresqlSecretName"],
        "env_config_maps": [source["name"] for source in given["envConfigMaps"]],
        "env_secrets": [source["name"] for source in given["envSecrets"]],
    } | {_snake(key): value for key, value in given.items() if key not in {"envConfigMaps", "envSecrets", "runK8sConfig"}}
    from_chart["run_k8s_config"] = {_snake(key): value for key, value in given["runK8sConfig"].items()}
    return {"cluster": deploy_yaml("cluster/dagster.yaml")["run_launcher"]["config"], "helm": from_chart}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def test_every_guard_of_the_local_instance_holds_on_the_cluster(deploy_yaml: ReadYaml) -> None:
    local, cluster = deploy_yaml("local/dagster.yaml"), deploy_yaml("cluster/dagster.yaml")
    for name in ("telemetry", "concurrency", "run_monitoring", "run_retries", "nux"):
        assert local[name].items() <= cluster[name].items()


def test_the_chart_writes_the_same_guards_as_the_cluster_instance(deploy_yaml: ReadYaml) -> None:
    values, cluster = deploy_yaml("helm/values.yaml"), deploy_yaml("cluster/dagster.yaml")
    names = ("concurrency", "run_monitoring", "run_retries", "nux")
    assert values["additionalInstanceConfig"] == {name: cluster[name] for name in names}
    assert values["telemetry"] == cluster["telemetry"] == {"enabled": False}
    # the chart would write a second block of the same name into dagster.yaml
    assert [values["dagsterDaemon"][name]["enabled"] for name in ("runCoordinator", "runMonitoring", "runRetries")] == [False] * 3


def test_the_database_is_named_by_the_environment_alone(deploy_yaml: ReadYaml) -> None:
    database = deploy_yaml("cluster/dagster.yaml")["storage"]["postgres"]["postgres_db"]
    assert all(set(value) == {"env"} and value["env"].startswith("DAGSTER_PG_") for value in database.values())
    assert "postgresqlPassword" not in deploy_yaml("helm/values.yaml")["postgresql"]


def test_every_setting_named_in_deploy_is_one_that_the_project_knows() -> None:
    known = {f"ROI_{name.upper()}" for name in Settings.model_fields}
    named = {path: set(re.findall(r"ROI_[A-Z_]+", path.read_text(encoding="utf-8"))) for path in DEPLOY.rglob("*") if path.is_file()}
    assert {path.name: names - known for path, names in named.items() if names - known} == {}
    assert {"ROI_HOME", "ROI_LANDING", "ROI_ENGINE"} <= set().union(*named.values())


def test_the_settings_of_the_cluster_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, secrets, _ = yaml.safe_load_all((DEPLOY / "cluster" / "objects.yaml").read_text(encoding="utf-8"))
    for name, value in (settings["data"] | secrets["stringData"]).items():
        monkeypatch.setenv(name, value)
    assert Settings().home == Path(settings["data"]["ROI_HOME"])


def test_no_job_spreads_its_steps_because_a_run_remembers_in_its_process_what_it_built() -> None:
    from dagster_project.definitions import defs

    jobs = defs.resolve_all_job_defs()
    assert {job.executor_def.name for job in jobs if not job.name.startswith("__")} == {"in_process"}


def test_a_killed_run_starts_again_from_its_first_step() -> None:
    from dagster_project.definitions import defs

    assert defs.resolve_job_def("daily").tags["dagster/retry_strategy"] == "ALL_STEPS"


@pytest.fixture
def pods(launchers: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The Kubernetes job that Dagster's own launcher sends for one run, with each configuration."""
    pytest.importorskip("dagster_k8s", reason="dagster-k8s is not installed (extra k8s)")
    import kubernetes
    from dagster._config import process_config
    from dagster._core.code_pointer import ModuleCodePointer
    from dagster._core.launcher import LaunchRunContext
    from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
    from dagster_k8s import K8sRunLauncher

    monkeypatch.setattr("dagster_k8s.launcher.load_kubernetes_config", lambda **_: None)
    for name in ("HOST", "PORT", "USERNAME", "DB"):
        monkeypatch.setenv(f"DAGSTER_PG_{name}", "x")
    for name in ("NAMESPACE", "SERVICE_ACCOUNT", "IMAGE"):
        monkeypatch.setenv(f"DAGSTER_K8S_{name}", "x")
    pointer = ModuleCodePointer("dagster_project.definitions", "defs")
    code = RepositoryPythonOrigin("python", pointer, container_image="service-roi:spark", entry_point=["dagster"], container_context={})
    sent: dict[str, dict[str, Any]] = {}
    for form, config in launchers.items():
        processed = process_config(K8sRunLauncher.config_type(), config)
        assert processed.success, processed.errors
        api = MagicMock()
        launcher = K8sRunLauncher(**processed.value, k8s_client_batch_api=api, k8s_client_core_api=MagicMock())
        with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
            launcher.register_instance(instance)
            run = instance.create_run_for_job(
                dg.GraphDefinition(name="daily").to_job(), job_code_origin=JobPythonOrigin("daily", code), tags={}
            )
            launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
        body = api.create_namespaced_job.call_args.kwargs["body"]
        sent[form] = kubernetes.client.ApiClient().sanitize_for_serialization(body)
    return sent


@pytest.mark.parametrize("form", ["cluster", "helm"])
def test_a_run_is_one_pod_that_starts_once_with_the_settings_and_the_shared_volume(pods: dict[str, dict[str, Any]], form: str) -> None:
    job = pods[form]["spec"]
    pod, [container] = job["template"]["spec"], job["template"]["spec"]["containers"]
    assert (job["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert job["activeDeadlineSeconds"] > 14400
    assert {"configMapRef": {"name": "service-roi"}} in container["envFrom"]
    assert {"secretRef": {"name": "service-roi"}} in container["envFrom"]
    assert {"name": "service-roi", "mountPath": "/srv/service-roi"} in container["volumeMounts"]
    assert {"name": "service-roi", "persistentVolumeClaim": {"claimName": "service-roi"}} in pod["volumes"]
    sources = {variable["name"]: variable["valueFrom"] for variable in container["env"] if "valueFrom" in variable}
    assert sources["DAGSTER_PG_PASSWORD"]["secretKeyRef"] == {"name": "service-roi-postgresql", "key": "postgresql-password"}
    assert sources["SPARK_LOCAL_HOSTNAME"]["fieldRef"]["fieldPath"] == "status.podIP"
    assert container["resources"] == {"requests": {"cpu": "2", "memory": "6Gi"}, "limits": {"memory": "8Gi"}}
    assert pod["securityContext"]["runAsUser"] == 10001


def test_kubernetes_own_schema_accepts_every_object(pods: dict[str, dict[str, Any]]) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed (group deploy)")
    objects = list(yaml.safe_load_all((DEPLOY / "cluster" / "objects.yaml").read_text(encoding="utf-8")))
    for item in [*objects, *pods.values()]:
        validator.validate(item, validator.latest_version(), strict=True)
    objects[0]["dta"] = objects[0].pop("data")
    with pytest.raises(validator.ValidationError):
        validator.validate(objects[0], validator.latest_version(), strict=True)


def test_the_yaml_of_deploy_has_no_doubled_key() -> None:
    linter = pytest.importorskip("yamllint.linter", reason="yamllint is not installed (group deploy)")
    from yamllint.config import YamlLintConfig

    rules = YamlLintConfig("{extends: relaxed, rules: {line-length: {max: 140}, anchors: enable, truthy: enable}}")
    problems = [f"{path.name}:{problem}" for path in DEPLOY.rglob("*.yaml") for problem in linter.run(path.read_text("utf-8"), rules)]
    assert problems == []
