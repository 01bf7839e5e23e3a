"""Who somebody is, or wonders whether they are, is never an alert by itself."""

from itertools import permutations

import pytest

from keywords.decide import Detector
from keywords.ranker import Ranker

pytestmark = pytest.mark.no_cover

IDENTITIES = (
    *("gay", "lesbian", "bi", "bisexual", "trans", "transgender", "non binary", "asexual", "queer"),
    *("muslim", "jewish", "hindu", "sikh", "christian", "catholic", "buddhist", "an atheist"),
    *("black", "white", "asian", "chinese", "polish", "romanian", "nigerian", "pakistani", "a jew"),
    *("irish", "a traveller", "roma", "an immigrant", "a refugee", "mixed race", "african"),
    *("autistic", "deaf", "blind", "disabled", "dyslexic", "in a wheelchair", "adopted", "in care"),
)
SENTENCES = (
    "i am {}",
    "i think im {}",
    "am i {}?",
    "how do i know if im {}",
    "is it ok to be {}",
    "my best friend is {}",
    "my mum is {} and so am i",
    "what does {} mean",
    "what is it like to be {}",
    "famous people who are {}",
    "she told me shes {} and im happy for her",
    "our new teacher is {}",
    "im proud to be {}",
    "he is {}",
    "how to tell my parents im {}",
)


@pytest.fixture(scope="module", params=[False, True], ids=["patterns off", "patterns on"])
def detector(request, matcher):
    return Detector(matcher, Ranker(), patterns=request.param)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_who_somebody_is_never_alerts(detector, sentence):
    texts = [sentence.format(identity) for identity in IDENTITIES]
    texts += [text.upper() for text in texts]
    assert [text for text in texts if detector.decide(text).priority is not None] == []


def test_two_identities_together_do_not_alert(detector):
    texts = [f"im {one} and {other}" for one, other in permutations(IDENTITIES, 2)]
    assert [text for text in texts if detector.decide(text).priority is not None] == []
