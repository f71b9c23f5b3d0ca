# SPDX-License-Identifier: Apache-2.0
"""One breach of a rule, as it is printed."""
import dataclasses


@dataclasses.dataclass(order=True, frozen=True)
class Finding:
    file: str
    line: int
    rule: str
    reason: str
    is_warning: bool = False

    def __str__(self):
        kind = "warning: " if self.is_warning else ""
        return f"{self.file}:{self.line}: {kind}[{self.rule}] {self.reason}"
