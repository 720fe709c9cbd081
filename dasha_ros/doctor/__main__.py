"""``python3 -m dasha_ros.doctor`` prints plain lines, for machines where ``dasha`` can't start."""

from __future__ import annotations

import sys

from dasha_ros.doctor.examination import examine
from dasha_ros.doctor.finding import Verdict


def main() -> int:
    """Print all findings; exit code 1 if there is a problem."""
    findings = examine()
    for finding in findings:
        print(f"{finding.verdict.value:<9} {finding.topic:<14} {finding.name}: {finding.detail}")
        if finding.advice:
            print(f"{'':<25}-> {finding.advice}")
    return int(any(finding.verdict is Verdict.PROBLEM for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
