"""From facts to findings: which units, why, and what would help."""

from hinge.diagnosis.diagnose import diagnose
from hinge.diagnosis.finding import Finding
from hinge.diagnosis.limits import Limit, check, check_against
from hinge.diagnosis.ranking import Advice, rank

__all__ = ["Advice", "Finding", "Limit", "check", "check_against", "diagnose", "rank"]
