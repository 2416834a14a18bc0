"""From a pod's name to its workload's, by the way Kubernetes' controllers name pods.

Generated suffixes use the alphabet of kubernetes/kubernetes staging/src/k8s.io/apimachinery/pkg/util/rand
(no vowels, no 0, 1, 3), so a word such as `worker` is never taken for one. A Deployment's pods carry the
ReplicaSet's hash and five letters, a StatefulSet's an ordinal, a CronJob's the scheduled minute (8 digits) and
five letters, a DaemonSet's and a Job's five letters, an indexed Job's its index and five letters.
"""

import re
from functools import lru_cache

_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
_SHAPES = (
    re.compile(rf"(?P<workload>.+)-\d{{8}}-{_LETTERS}{{5}}"),  # CronJob
    re.compile(rf"(?P<workload>.+)-{_LETTERS}{{8,10}}-{_LETTERS}{{5}}"),  # Deployment
    re.compile(rf"(?P<workload>.+)-(?=[^-]*\d){_LETTERS}{{5,7}}-{_LETTERS}{{5}}"),  # Deployment, short hash
    re.compile(rf"(?P<workload>.+)-\d{{1,4}}-{_LETTERS}{{5}}"),  # indexed Job
    re.compile(rf"(?P<workload>.+)-{_LETTERS}{{5}}"),  # DaemonSet, Job, ReplicaSet
    re.compile(r"(?P<workload>.+)-\d{1,5}"),  # StatefulSet
)


@lru_cache(maxsize=1 << 16)
def workload_of(pod: str) -> str | None:
    """The workload that a pod belongs to, or null where the name does not show one."""
    for shape in _SHAPES:
        match = shape.fullmatch(pod)
        if match is not None:
            return match["workload"]
    return None
