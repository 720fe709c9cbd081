"""Synonyms of detectors' labels."""

from __future__ import annotations

from collections.abc import Sequence

GROUPS: tuple[tuple[str, ...], ...] = (
    ("person", "people", "human", "man", "men", "woman", "women", "boy", "girl", "child", "children", "kid",
     "baby", "adult", "pedestrian", "somebody", "someone", "folk", "guy", "lady", "worker"),
    ("bicycle", "bike", "cycle", "pushbike", "push bike", "mountain bike"),
    ("motorcycle", "motorbike", "moped", "scooter", "motor scooter", "bike"),
    ("car", "automobile", "auto", "vehicle", "taxi", "cab", "sedan", "suv", "van"),
    ("truck", "lorry", "pickup", "pick up", "vehicle", "van"),
    ("bus", "coach", "minibus", "vehicle"),
    ("train", "locomotive", "tram", "subway", "metro"),
    ("airplane", "aeroplane", "plane", "aircraft", "jet", "airliner", "jetliner"),
    ("boat", "ship", "vessel", "canoe", "kayak", "sailboat", "yacht", "dinghy", "ferry"),
    ("traffic light", "stoplight", "traffic signal", "stop light", "semaphore"),
    ("fire hydrant", "hydrant"),
    ("parking meter", "meter"),
    ("stop sign", "traffic sign", "road sign"),
    ("cat", "kitten", "kitty"),
    ("dog", "puppy", "hound", "doggy"),
    ("horse", "pony", "foal", "mare", "stallion"),
    ("sheep", "lamb", "ram", "ewe"),
    ("cow", "cattle", "bull", "calf", "ox", "oxen"),
    ("bear", "grizzly", "polar bear"),
    ("backpack", "rucksack", "knapsack", "schoolbag", "bag"),
    ("handbag", "purse", "bag", "tote"),
    ("suitcase", "luggage", "baggage", "trolley case", "travel bag"),
    ("umbrella", "parasol", "brolly"),
    ("tie", "necktie", "bow tie"),
    ("frisbee", "flying disc", "flying disk"),
    ("skis", "ski"),
    ("sports ball", "ball", "football", "soccer ball", "basketball", "tennis ball", "volleyball", "baseball"),
    ("baseball bat", "bat"),
    ("baseball glove", "glove", "mitt"),
    ("tennis racket", "racket", "racquet", "tennis racquet"),
    ("bottle", "flask", "water bottle", "wine bottle", "beer bottle"),
    ("wine glass", "glass", "goblet", "wineglass", "drinking glass"),
    ("cup", "mug", "teacup", "tea cup", "coffee cup", "coffee mug", "beaker", "tumbler", "glass"),
    ("knife", "knives", "blade"),
    ("bowl", "dish", "basin"),
    ("sandwich", "burger", "hamburger", "toast"),
    ("donut", "doughnut"),
    ("hot dog", "hotdog", "frankfurter"),
    ("cake", "pie", "cupcake", "muffin"),
    ("orange", "mandarin", "tangerine", "clementine"),
    ("chair", "seat", "armchair", "stool"),
    ("couch", "sofa", "settee", "loveseat"),
    ("potted plant", "plant", "pot plant", "houseplant", "house plant", "flower pot", "flowerpot", "flower"),
    ("dining table", "table", "desk", "kitchen table"),
    ("toilet", "lavatory", "loo", "wc", "toilet seat"),
    ("tv", "television", "telly", "tv monitor", "tv set", "monitor", "screen", "display", "television set"),
    ("laptop", "notebook", "notebook computer", "computer", "macbook", "pc"),
    ("mouse", "computer mouse", "mice"),
    ("remote", "remote control", "remote controller", "controller"),
    ("keyboard", "computer keyboard"),
    ("cell phone", "phone", "smartphone", "smart phone", "telephone", "mobile", "mobile phone",
     "cellular phone",
     "iphone", "handphone"),
    ("microwave", "microwave oven"),
    ("oven", "stove", "cooker"),
    ("sink", "washbasin", "wash basin", "basin"),
    ("refrigerator", "fridge", "freezer", "icebox"),
    ("book", "novel", "textbook", "magazine"),
    ("clock", "wall clock", "alarm clock", "watch"),
    ("vase", "flower vase"),
    ("teddy bear", "teddy", "stuffed animal", "plush toy", "soft toy", "stuffed bear"),
    ("hair drier", "hair dryer", "hairdryer", "hairdrier", "blow dryer"),
    ("toothbrush", "tooth brush"),
)  # fmt: skip
"""Groups of words with the same meaning; a word may be in several groups."""

_IRREGULAR = {"mice": "mouse", "men": "man", "women": "woman", "children": "child", "people": "person",
              "knives": "knife", "calves": "calf", "geese": "goose", "oxen": "ox"}  # fmt: skip


def singulars(word: str) -> tuple[str, ...]:
    """The singulars of a word that may be a plural, itself first: ``glass`` for ``glasses``."""
    *before, last = word.split(" ")
    ends = [last, *([_IRREGULAR[last]] if last in _IRREGULAR else [])]
    if last.endswith("ies") and len(last) > 4:
        ends.append(last[:-3] + "y")
    if last.endswith("ves") and len(last) > 4:
        ends += [last[:-3] + "f", last[:-3] + "fe"]
    if last.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        ends.append(last[:-2])
    if last.endswith("s") and not last.endswith("ss") and len(last) > 2:
        ends.append(last[:-1])
    return tuple(" ".join([*before, end]) for end in dict.fromkeys(ends))


def same_meaning(word: str, known: Sequence[str]) -> list[str]:
    """The known labels that a word or its singular may mean."""
    forms = singulars(word)
    joined = {form.replace(" ", "").replace("-", "") for form in forms}
    found = [
        label
        for label in known
        if label in forms
        or word in singulars(label)
        or label.replace(" ", "").replace("-", "") in joined
        or any(label in group and any(form in group for form in forms) for group in GROUPS)
    ]
    return list(dict.fromkeys(found))
