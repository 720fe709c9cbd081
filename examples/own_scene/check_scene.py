"""Check a scene before you use it: does the detector find each object in focus, and how much less out of it?

python examples/own_scene/check_scene.py examples/own_scene/two_pictures.yaml
dasha up --scene examples/own_scene/two_pictures.yaml      # then: dasha focus person
"""

from __future__ import annotations

import sys
from pathlib import Path

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.photograph import check_files
from dasha_ros.twin.scene import SceneError, load_scene
from dasha_ros.twin.world import World

EXPOSURE_US = 25_000.0
"""Mid grey in 100 lx at f/2."""
DEFOCUS_D = 2.0
"""How far the lens is moved away from the object [1/m]."""


def main(path: str) -> int:
    """Return 0 when every object can be found, 1 when one can't."""
    scene = load_scene(Path(path))  # raises SceneError: file, key and reason
    check_files(scene)
    print(f"{scene.name}: {len(scene.layers)} layers at {', '.join(f'{d:g} m' for d in scene.distances_m)}")
    rig = TwinRig(Perception(), World(scene=path, illuminance_lx=100.0), width=1024, height=544)
    rig.expose(EXPOSURE_US)
    hopeless = 0
    for label in scene.labels:
        dioptres = 1.0 / scene.object_distances(label)[0]
        scores = []
        for focus in (dioptres, dioptres + DEFOCUS_D):
            seen = rig.move(rig.lens.position(focus)).of([label])
            scores.append(seen[0].score if seen else 0.0)
        print(f"  {label}: score {scores[0]:.2f} in focus, {scores[1]:.2f} out of focus by {DEFOCUS_D:g} D")
        hopeless += scores[0] < 0.3
    return 1 if hopeless else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except (AssetMissing, SceneError) as error:
        sys.exit(f"error: {error}")
