"""``pip install .`` for machines without ROS, such as training workers.

Installs the rooms that need no ROS. The graph (nodes, messages, launch files) is
built by colcon, see CMakeLists.txt; in a checkout without ROS by ./scripts/setup.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r"<version>(.+)</version>", (HERE / "package.xml").read_text(encoding="utf-8"))
assert VERSION is not None


def data_files() -> list[tuple[str, list[str]]]:
    """``config/`` under ``share/dasha_ros``, where colcon puts it too, so that one look-up finds it."""
    folders: dict[str, list[str]] = {}
    for path in sorted((HERE / "config").rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            relative = path.relative_to(HERE)
            folders.setdefault(f"share/dasha_ros/{relative.parent.as_posix()}", []).append(
                relative.as_posix()
            )
    return sorted(folders.items())


def packages() -> list[str]:
    """Every room but those that import rclpy."""
    return find_packages(include=["dasha_ros", "dasha_ros.*"], exclude=["dasha_ros.nodes*", "dasha_ros.ros*"])


WEBCAM = ["linuxpy"]
INDI = ["indipyclient"]
HARDWARE = ["pypylon", "pyserial", *WEBCAM, *INDI]
CLUSTER = ["ray"]
PLOTS = ["matplotlib"]
TORCH = ["torch", "torchvision", "ultralytics-opencv-headless"]
TRAINING = ["gymnasium", "stable-baselines3", "tensorboard", "torch"]

setup(
    name="dasha_ros",
    version=VERSION.group(1),
    description="A camera that exposes and focuses itself until a detector finds what a robot asked for",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=packages(),
    package_data={"": ["py.typed", "*.html", "*.css", "*.js", "*.svg", "*.LICENSE", "*.c"]},
    data_files=data_files(),
    install_requires=[
        "aiohttp>=3.9",
        "mcap>=1.3",
        "mcap-ros2-support",
        "numpy>=1.26",
        "onnx",
        "onnxruntime",
        "opencv-python-headless>=4.7",
        "pillow",
        "psutil",
        "pydantic>=2",
        "pyyaml",
        "rich",
        "scipy",
        "typer>=0.12.5",
    ],
    entry_points={"console_scripts": ["dasha = dasha_ros.cli:main"]},
    extras_require={
        "hardware": HARDWARE,
        "webcam": WEBCAM,
        "indi": INDI,
        "cluster": CLUSTER,
        "plots": PLOTS,
        "torch": TORCH,
        "training": TRAINING,
        "all": sorted({*HARDWARE, *CLUSTER, *PLOTS, *TORCH, *TRAINING}),
    },
)
