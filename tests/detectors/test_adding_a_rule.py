"""Adding a rule goes as the README shows it: two files, a row and a line in the catalogue pass the contract suite.

The catalogue holds that rule alone then: the others are held to the suite where they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FILES = re.compile(r"```python\n# (\S+\.py)\n(.*?)```", re.DOTALL)
ROW = re.compile(r"```toml\n# registry/catalogue\.toml\n(.*?)```", re.DOTALL)
RULES = re.compile(r"\] = \(\n.*?^\)", re.DOTALL | re.MULTILINE)
TESTS_OF_A_RULE = 10


def test_the_rules_of_the_readme_keep_what_every_rule_keeps(tmp_path: Path) -> None:
    for room in ("telemetry", "registry", "detectors", "tests/detectors"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("*.pyc"))  # compiled code stays
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files = dict(FILES.findall(readme))
    rules = ("creeping", "slow_trip", "shaking")
    expected = {f"detectors/rules/{rule}.py" for rule in rules} | {f"tests/detectors/test_{rule}.py" for rule in rules}
    assert set(files) == expected
    for name, code in files.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (row,) = ROW.findall(readme)
    with (tmp_path / "registry/catalogue.toml").open("a", encoding="utf-8") as rows:
        rows.write(f"\n{row}")
    catalogue = tmp_path / "detectors/catalogue.py"
    text = catalogue.read_text(encoding="utf-8").replace("import (\n", f"import (\n    {', '.join(rules)},\n", 1)
    listed = ", ".join(f"{rule}.RULE" for rule in rules)
    catalogue.write_text(RULES.sub(f"] = ({listed})", text, count=1), encoding="utf-8")
    suite = ["tests/detectors/test_contract.py", "-v", "-p", "no:cacheprovider", "--import-mode=importlib"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-m", "pytest", *suite], cwd=tmp_path, env=environment, capture_output=True)
    assert ran.returncode == 0, ran.stdout.decode()
    for slug in (b"creeping", b"slow-trip", b"shaking"):
        assert ran.stdout.count(slug + b"] PASSED") >= TESTS_OF_A_RULE
    assert b"test_a_healthy_world_is_quiet PASSED" in ran.stdout
