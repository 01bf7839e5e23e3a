"""How the ranker's weights are made. Not installed; needs `training/requirements.txt`.

**Labelled texts** (`texts`) are read as the product reads them (`keywords.ranker.reading`). The
*wide* model (`wide`) and the *deep* one (`deep`) are trained apart; a **calibration** joins
them (`calibrate`); `export` writes the file that the product maps, in whole bytes.

`python -m training --help` says how to run it. docs/model-card.md has data, figures, limits.
"""
