"""The peers of `benchmarks.detection`, each in an environment of its own.

`python detection_peers.py NAME` reads one JSON text a line and prints one score a line.
"""

import json
import sys


def main() -> int:
    """Score all lines."""
    texts = [json.loads(line) for line in sys.stdin]
    if sys.argv[1] == "better-profanity":
        from better_profanity import profanity  # noqa: PLC0415 - only this peer has it

        profanity.load_censor_words()
        scores = [float(profanity.contains_profanity(text)) for text in texts]
    else:
        from profanity_check import predict_prob  # noqa: PLC0415 - only this peer has it

        scores = [float(score) for score in predict_prob(texts)]
    print("\n".join(map(str, scores)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
