"""The environments of both agents: batches over the percept cache, and Gymnasium over a rig.

Importing this package registers ``DashaExposure-v0``, ``DashaFocus-v0`` and ``DashaJoint-v0`` where
Gymnasium is installed; running a policy needs none.
"""

from importlib.util import find_spec

if find_spec("gymnasium"):
    from dasha_ros.learning.envs.registration import register_environments

    register_environments()
