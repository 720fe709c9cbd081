"""Parameters of perception, the agents, the focus server and the trainer."""

from __future__ import annotations

from typing import Literal

from pydantic import FiniteFloat, model_validator

from dasha_ros.config.parameter import NodeConfig, parameter


class PerceptionConfig(NodeConfig):
    """Turns images into percepts."""

    encoder: str = parameter("efficientnet_lite0_grid", "Network that makes the latent vector.", fixed=True)
    encoder_weights: str = parameter("", "Weights file of the encoder; empty: the encoder's own.", fixed=True)
    detector: str = parameter("yolov3_tiny", "Network that finds objects.", fixed=True)
    detector_weights: str = parameter(
        "", "Weights file of the detector; empty: the detector's own.", fixed=True
    )
    detector_size_px: int = parameter(
        416,
        "Width of the detector's input; nanodet and centernet have a fixed one.",
        unit="px",
        fixed=True,
        ge=128,
        le=1280,
        multiple_of=32,
    )
    detector_classes: list[str] = parameter(
        [],
        "What to look for, in words: for open-vocabulary models of ultralytics (YOLO-World); empty: what the "
        "detector knows. Goals for other words add theirs.",
    )
    detector_topic: str = parameter(
        "",
        "Take another node's detections (vision_msgs/Detection2DArray) from this topic instead of running a "
        "detector; empty: run one.",
        fixed=True,
    )
    detector_labels: list[str] = parameter(
        [], "detector_topic: names of the classes 0, 1, ... of a node that numbers them.", fixed=True
    )
    detector_timeout_s: FiniteFloat = parameter(
        1.0,
        "detector_topic: a node that takes longer for a picture is named in the diagnostics.",
        unit="s",
        ge=0.05,
        le=60.0,
    )
    min_score: FiniteFloat = parameter(0.1, "Detections below this confidence are dropped.", ge=0.01, le=1.0)
    colour_detail: bool = parameter(
        False,
        "Read detail from red and from blue, too, which policies as plus_colour need; takes a colour camera "
        "(rgb8, bgr8, rgba8, bgra8, their 16 bits, or a Bayer pattern).",
    )
    preview_rate_hz: FiniteFloat = parameter(
        1.0,
        "Rate of percepts of frames that no command waits for, while a node outside the graph listens to the "
        "annotated picture or the detections; 0: none.",
        unit="Hz",
        ge=0.0,
        le=100.0,
    )
    jpeg_quality: int = parameter(80, "Quality of the annotated picture.", ge=10, le=100)


class AgentConfig(NodeConfig):
    """The parameters that both agents have."""

    inference_budget_s: FiniteFloat = parameter(
        3.0,
        "Time for transport and inference of a frame, besides exposure and settling.",
        unit="s",
        # A driver reports an unchanged setting up to half a second late, so a shorter silence means nothing.
        ge=1.0,
        le=120.0,
    )
    retries: int = parameter(1, "How often an unanswered command is sent again.", ge=0, le=10)
    policy: str = parameter(
        "", "Policy by name, path of a learned one (.npz), or package.module:Class of your own.", fixed=True
    )
    mode: Literal["act", "learn"] = parameter(
        "act",
        "act: run the policy. learn: run PPO, one step of learning for each step of a goal.",
        fixed=True,
    )
    preset: str = parameter("plus", "learn: preset of environment and PPO, by name or path.", fixed=True)
    checkpoint_dir: str = parameter(
        "~/.ros/dasha/learning", "learn: checkpoints of both agents are kept below this folder.", fixed=True
    )
    learn_from: str = parameter(
        "", "learn: policy file to start from; empty: the shipped one of the preset.", fixed=True
    )
    learn_fresh: bool = parameter(
        False,
        "learn: start with an untrained network; the fitted feature extractor stays.",
        fixed=True,
    )
    learn_seed: int = parameter(0, "learn: seed of network and actions.", fixed=True, ge=0, le=2**31 - 1)


class HighLevelAgentConfig(AgentConfig):
    """A^H, the agent of the exposure."""

    policy: str = parameter(
        "plus",
        "Policy by name, path of a learned one (.npz), or package.module:Class of your own.",
        fixed=True,
    )
    max_steps: int = parameter(12, "Steps before the agent gives up.", ge=1, le=1000)
    exposure_min_us: FiniteFloat = parameter(
        24.0, "Shortest exposure of the table.", unit="us", fixed=True, ge=1.0, le=1e6
    )
    exposure_max_us: FiniteFloat = parameter(
        1e6,
        "Longest exposure of the table. If the camera may expose for longer than this, A^H uses no gain; to "
        "have both, set exposure_max_us of camera_driver to the same value.",
        unit="us",
        fixed=True,
        ge=2.0,
        le=10e6,
    )

    mains_hz: Literal["auto", "0", "50", "60"] = parameter(
        "auto",
        "Frequency of the mains in Hz, where lamps flicker: long exposures last a whole number of flickers. "
        "auto: once perception has seen that they do; 0: any exposure. Webcams have a control of their own: "
        "webcam_flicker of camera_driver.",
        fixed=True,
    )
    gain_max_db: FiniteFloat = parameter(
        20.0,
        "Most gain that stands in for an exposure beyond the longest one; 0: none. Policy paper uses none.",
        unit="dB",
        ge=0.0,
        le=36.0,
    )

    @model_validator(mode="after")
    def _ordered(self) -> HighLevelAgentConfig:
        if self.exposure_max_us <= 2 * self.exposure_min_us:
            raise ValueError(
                f"exposure_max_us ({self.exposure_max_us:g}) must be more than twice "
                f"exposure_min_us ({self.exposure_min_us:g})"
            )
        return self


class LowLevelAgentConfig(AgentConfig):
    """A^L, the agent of the lens."""

    policy: str = parameter(
        "plus",
        "Policy by name, path of a learned one (.npz), or package.module:Class of your own.",
        fixed=True,
    )
    max_steps: int = parameter(60, "Steps before the agent gives up.", ge=1, le=1000)
    min_score: FiniteFloat = parameter(0.3, "Least confidence if the goal names none.", ge=0.01, le=1.0)
    max_brisque: FiniteFloat = parameter(
        100.0, "Worst BRISQUE to accept if the goal names none.", gt=0.0, le=200.0
    )
    min_sharp: FiniteFloat = parameter(
        0.3,
        "Least probability, by the object's own detail, that it is sharp where a goal ends as found. "
        "0 accepts every detection, as in the paper.",
        ge=0.0,
        le=1.0,
    )


class FocusServerConfig(NodeConfig):
    """The action that robots call."""

    min_score: FiniteFloat = parameter(0.3, "Least confidence if the goal names none.", ge=0.01, le=1.0)
    max_brisque: FiniteFloat = parameter(
        100.0, "Worst BRISQUE to accept if the goal names none.", gt=0.0, le=200.0
    )
    max_steps: int = parameter(80, "Steps of both agents if the goal names none.", ge=1, le=2000)
    max_seconds: FiniteFloat = parameter(
        0.0, "Longest time of a goal that names none; 0: no limit.", unit="s", ge=0.0, le=86_400.0
    )
    meter_object: bool = parameter(
        True,
        "Expose for the object, not the whole picture: once it is seen, A^H makes up to two steps for its "
        "own light, and if nothing is found, A^L looks again in the shadows and in the bright parts.",
    )
    agent_timeout_s: FiniteFloat = parameter(
        6.0,
        "Time for an agent to accept its part of a goal, and to react to a cancellation. One that works "
        "is lost when it was silent for 8 s.",
        unit="s",
        ge=0.5,
        le=60.0,
    )
    report_dir: str = parameter(
        "~/.ros/dasha/reports",
        "Folder of the reports; empty: no reports. Those of background goals go into its folder background.",
    )
    report_keep: int = parameter(
        100, "Number of reports to keep, and of those of background goals.", ge=1, le=100_000
    )


class TrainerConfig(NodeConfig):
    """Training only: plays episodes without end, each a random start and then a goal."""

    task: Literal["joint", "exposure", "focus"] = parameter(
        "joint",
        "Receiver of the goals: the focus server (both agents), only A^H, or only A^L.",
        fixed=True,
    )
    scenes: list[str] = parameter(
        [], "Scenes to train on, by name or path; empty: all shipped scenes.", fixed=True
    )
    schedule: Literal["paper", "random"] = parameter(
        "random",
        "paper: 13..300 lx in steps of 10 lx, nearest layer at 1.4..2.0 m, every start with factory values. "
        "random: log-uniform light, distances within a factor.",
        fixed=True,
    )
    illuminance_min_lx: FiniteFloat = parameter(
        13.0, "random: least light.", unit="lx", ge=0.01, le=200_000.0
    )
    illuminance_max_lx: FiniteFloat = parameter(
        300.0, "random: most light.", unit="lx", ge=0.01, le=200_000.0
    )
    distance_factor: FiniteFloat = parameter(
        1.5, "random: all distances of a scene are scaled by up to this factor, up or down.", ge=1.0, le=5.0
    )
    episodes_per_world: int = parameter(1, "Goals before light and distances change.", ge=1, le=100_000)
    max_steps: int = parameter(20, "Most steps of a goal.", ge=1, le=2000)
    episodes: int = parameter(0, "Goals after which the trainer stops; 0: never.", ge=0, le=10_000_000)
    seed: int = parameter(0, "Seed of the random worlds and starts.", fixed=True, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _ordered(self) -> TrainerConfig:
        if self.illuminance_max_lx < self.illuminance_min_lx:
            raise ValueError(
                f"illuminance_max_lx ({self.illuminance_max_lx:g}) must not be below "
                f"illuminance_min_lx ({self.illuminance_min_lx:g})"
            )
        return self
