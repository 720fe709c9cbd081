"""``python3 -m dasha_ros.doctor``: plain lines, where ``dasha`` itself can't start."""

from __future__ import annotations

import sys

from dasha_ros.doctor.findings import Verdict, examine


def main() -> int:
    """Print all findings; 1 where there is a problem."""
    findings = examine()
    for finding in findings:
        print(f"{finding.verdict.value:<9} {finding.topic:<14} {finding.name}: {finding.detail}")
        if finding.advice:
            print(f"{'':<25}-> {finding.advice}")
    return int(any(finding.verdict is Verdict.PROBLEM for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
